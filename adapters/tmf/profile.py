"""How one vendor speaks TM Forum: every point on which installations differ, as data.

A vendor's adapter is one of these with its own defaults; a connection overrides single fields
(`config.tmf_settings.TmfProfile` has the same names, and says what each one means to an operator).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from adapters.exchange import Api

Version = Literal["v4", "v5"]
IdKind = Literal["customer", "individual", "account"]
QueryBy = Literal["party", "account", "party_and_account"]
BatchStyle = Literal["off", "repeat", "comma", "semicolon"]
Existence = Literal["customer_by_id", "customer_by_party", "accounts", "none"]
DisputeSource = Literal["trouble_ticket", "bill_on_hold", "disputed_balance"]

API_PATHS: Mapping[Api, str] = {
    Api.PRODUCT_INVENTORY: "productInventory/{version}/",
    Api.ACCOUNT: "accountManagement/{version}/",
    Api.CUSTOMER: "customerManagement/{version}/",
    Api.CUSTOMER_BILL: "customerBillManagement/{version}/",
    Api.TROUBLE_TICKET: "troubleTicket/{version}/",
}
"""The TM Forum's own layout below `…/tmf-api/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Defaults are the specification's, and the careful choice where it leaves one."""

    version: Version = "v4"
    id_kind: IdKind = "customer"
    product_query: QueryBy = "party"
    party_filter: str | None = None
    """`None`: as the version names it, see `party_parameter`."""
    account_filter: str = "billingAccount.id"
    customer_filter: str = "engagedParty.id"
    status_filter: str = ""
    status_values: tuple[str, ...] = ()
    status_style: Literal["each", "repeat", "comma", "semicolon"] = "each"
    ticket_query: Literal["party", "account"] = "party"
    ticket_filter: str | None = None
    """`None`: as the version names it, see `ticket_parameter`."""
    charged_statuses: tuple[str, ...] = ("active", "pendingTerminate", "suspended")
    missing_price: Literal["unknown", "nothing"] = "unknown"
    existence: Existence = "customer_by_id"
    missing_needs_error_body: bool = True
    error_keys: tuple[str, ...] = ()
    trust_filter: bool = False
    owner_roles: tuple[str, ...] = (
        "customer",
        "owner",
        "account owner",
        "account holder",
        "subscriber",
    )
    tax_basis: Literal["excluded", "included"] = "excluded"
    tax_rate_scale: Literal["percent", "fraction"] = "percent"
    batch_style: BatchStyle = "off"
    batch_size: int = 50
    page_size: int = 100
    page_limit: int = 20
    fee_fallback: Literal["none", "applied_rate"] = "none"
    dispute_sources: tuple[DisputeSource, ...] = ("trouble_ticket",)
    dispute_ticket_types: tuple[str, ...] = ("Bill Dispute", "Billing Dispute")
    dispute_states: tuple[str, ...] = ("acknowledged", "pending", "held", "inProgress")
    dispute_window_days: int = 30
    api_paths: Mapping[Api, str] = field(default_factory=lambda: API_PATHS)
    """Each API's path below the connection's base URL, ending with a slash or empty. `{version}`
    stands for the profile's. The one field that is not a setting: `Connection.apis` is."""

    def with_settings(self, settings: Mapping[str, object]) -> "Profile":
        """This profile with a connection's settings over it; `None` keeps the default.

        Raises `TypeError` on a name that is not a field.
        """
        chosen: dict[str, Any] = {
            name: value for name, value in settings.items() if value is not None
        }
        return replace(self, **chosen)

    @property
    def party_parameter(self) -> str:
        """The query parameter that filters by party (TMF630 attribute path)."""
        if self.party_filter is not None:
            return self.party_filter
        return "relatedParty.id" if self.version == "v4" else "relatedParty.partyOrPartyRole.id"

    @property
    def ticket_parameter(self) -> str:
        """The query parameter that filters trouble tickets by their customer (TMF621)."""
        if self.ticket_filter is not None:
            return self.ticket_filter
        if self.ticket_query == "party":
            return self.party_parameter
        return "relatedEntity.id" if self.version == "v4" else "relatedEntity.entity.id"

    def path_of(self, api: Api) -> str:
        """Where this API is below the connection's base URL."""
        return self.api_paths[api].replace("{version}", self.version)
