"""What differs between the three vendors: paths, ids, error bodies, and their manners."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from adapters.simulator.population import Shape, vendor_id

Version: TypeAlias = Literal["v4", "v5"]
Resource: TypeAlias = Literal[
    "product",
    "billingAccount",
    "customer",
    "appliedCustomerBillingRate",
    "customerBill",
    "troubleTicket",
]
OrStyle: TypeAlias = Literal["single", "repeat", "comma", "semicolon"]

TOKEN_PATHS: Mapping[Shape, str] = {
    "amdocs": "/oauth2/token",
    "cerillion": "/auth/realms/ORG/protocol/openid-connect/token",
    "csg": "/oauth/token",
}
BASE_PATHS: Mapping[Shape, str] = {
    "amdocs": "/",
    "cerillion": "/apiman-gateway/ORG/",
    "csg": "/tmf-api/",
}
_CERILLION: Mapping[Resource, str] = {
    "product": "product/1.0/",
    "billingAccount": "account/1.0/",
    "customer": "customer/1.0/",
    "appliedCustomerBillingRate": "bill/1.0/",
    "customerBill": "bill/1.0/",
    "troubleTicket": "troubleTicket/1.0/",
}
_CSG: Mapping[Resource, str] = {
    "product": "productInventory/{version}/",
    "billingAccount": "accountManagement/{version}/",
    "customer": "customerManagement/{version}/",
    "appliedCustomerBillingRate": "customerBillManagement/{version}/",
    "customerBill": "customerBillManagement/{version}/",
    "troubleTicket": "troubleTicket/{version}/",
}
RESOURCES: tuple[Resource, ...] = tuple(_CSG)


def paths(shape: Shape, version: Version) -> dict[str, Resource]:
    """Path of each collection, from the root → the resource that is there."""
    below: Mapping[Resource, str] = {
        "amdocs": dict.fromkeys(RESOURCES, ""),
        "cerillion": _CERILLION,
        "csg": _CSG,
    }[shape]
    return {
        BASE_PATHS[shape] + below[resource].format(version=version) + resource: resource
        for resource in RESOURCES
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a vendor behaves where TM Forum leaves it free. Every one can be set for a test."""

    page_size: int = 50
    """Rows of a page when the caller names no `limit`."""
    page_size_limit: int = 100
    """Rows of a page at most; a larger `limit` is cut to it without a word."""
    or_style: OrStyle = "single"
    """How several values of one filter are told. Where a filter takes one value only, the first
    of a repeated one is taken, and separators are part of the value."""
    next_link: Literal["absolute", "relative", "none"] = "absolute"
    """What a partial page says about the rest: `Link: rel="next"`, or only `X-Total-Count`."""
    partial_status: Literal[200, 206] = 206
    past_the_end: Literal["416", "empty"] = "416"
    supports_fields: bool = True


MANNERS: Mapping[Shape, Manners] = {
    "amdocs": Manners(
        page_size=100, page_size_limit=1_000, next_link="none", partial_status=200,
        past_the_end="empty",
    ),
    "cerillion": Manners(page_size=20, or_style="comma"),
    "csg": Manners(
        page_size=25, page_size_limit=50, next_link="relative", or_style="comma",
        supports_fields=False,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holder:
    """The ids that a vendor has for customer `n`, and by which of them its rows name an owner."""

    shape: Shape
    n: int

    @property
    def owner(self) -> str:
        """The id in `relatedParty`: of the individual, the account, or the customer."""
        return vendor_id(self.shape, self.n)

    @property
    def owner_type(self) -> str:
        """`@referredType` of the owner."""
        kinds = {
            "amdocs": "Individual",
            "cerillion": "BillingAccountExtended",
            "csg": "Customer",
        }
        return kinds[self.shape]

    @property
    def owner_role(self) -> str:
        roles = {
            "amdocs": ("customer", "Customer", "owner"),
            "cerillion": ("OWNER", "ACCOWNER"),
            "csg": ("customer", "CUSTOMER"),
        }[self.shape]
        return roles[self.n % len(roles)]

    @property
    def individual(self) -> str:
        return vendor_id("amdocs", self.n)

    @property
    def customer(self) -> str:
        return vendor_id("csg", self.n) if self.shape == "csg" else f"CUS-{self.n:06d}"

    @property
    def accounts(self) -> tuple[str, ...]:
        """Holders of two products, and a few others, have two accounts, except at Cerillion,
        where the customer is known by its account.
        """
        if self.shape == "cerillion":
            return (self.owner,)
        many = 2 if self.n % 10 in (1, 6) else 1
        style = "BA-{n:06d}-{k}" if self.shape == "amdocs" else "84480100{n:06d}{k:02d}"
        return tuple(style.format(n=self.n, k=k) for k in range(1, many + 1))


def party_filter(version: Version) -> str:
    """The filter by party, as each version names it."""
    return "relatedParty.id" if version == "v4" else "relatedParty.partyOrPartyRole.id"


def error_body(shape: Shape, version: Version, status: int, reason: str) -> dict[str, Any]:
    """Amdocs has a body of its own; the others send TM Forum's."""
    if shape == "amdocs":
        return {"code": f"BSS-{status}", "message": reason}
    body = {
        "code": str(status * 10),
        "reason": reason,
        "message": f"{reason}. See the reference.",
        "status": str(status),
        "referenceError": "https://developer.vendor.example/errors",
    }
    return body if version == "v4" else {"@type": "Error", **body}
