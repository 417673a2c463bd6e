"""The settings of a vendor that speaks TM Forum."""

from typing import Annotated, Literal

from pydantic import Field

from config.group import Group, Text


class TmfProfile(Group):
    """How this vendor speaks TM Forum, where it differs from the adapter's own defaults.

    `None` leaves the default of the vendor's adapter.
    """

    version: Literal["v4", "v5"] | None = None
    """Of the TM Forum Open APIs."""
    id_kind: Literal["customer", "individual", "account"] | None = None
    """What the identity map's ids are to this vendor."""
    product_query: Literal["party", "account", "party_and_account"] | None = None
    """Which ids a product query carries. Where it needs accounts, they are asked for first."""
    party_filter: Text | None = None
    """Name of the query parameter that filters by party."""
    account_filter: Text | None = None
    """Name of the query parameter that filters by account."""
    customer_filter: Text | None = None
    """Name of the query parameter that filters customers by party."""
    status_filter: str | None = None
    """Name of the query parameter that filters products by status; empty: not sent."""
    status_values: tuple[str, ...] | None = None
    """Values of that parameter."""
    status_style: Literal["each", "repeat", "comma", "semicolon"] | None = None
    """How that parameter carries several values; `each`: one query for each of them."""
    ticket_query: Literal["party", "account"] | None = None
    """Which ids a query for trouble tickets carries."""
    ticket_filter: str | None = None
    """Name of the query parameter that filters trouble tickets by those ids."""
    charged_statuses: tuple[str, ...] | None = None
    """Statuses of products that are charged."""
    missing_price: Literal["unknown", "nothing"] | None = None
    """A product without a price beside others that have one. `unknown`: the customer has no fee;
    `nothing`: the vendor lists products that are included in another's price."""
    existence: Literal["customer_by_id", "customer_by_party", "accounts", "none"] | None = None
    """What is asked when a customer shows no products. `none`: found, without a price."""
    missing_needs_error_body: bool | None = None
    """Whether a 404 by id must carry a TM Forum error body to mean "no such customer"."""
    error_keys: tuple[str, ...] | None = None
    """Keys that, all of them together, make a JSON object an error of this vendor's own kind."""
    trust_filter: bool | None = None
    """Believe rows that name no owner, because the vendor is known to filter."""
    owner_roles: tuple[str, ...] | None = None
    """Roles of a related party that own a row, where a role is given."""
    tax_basis: Literal["excluded", "included"] | None = None
    """Whether fees are counted without or with tax; one basis for all."""
    tax_rate_scale: Literal["percent", "fraction"] | None = None
    """Whether `taxRate` 20 or `taxRate` 0.2 means 20 %."""
    batch_style: Literal["off", "repeat", "comma", "semicolon"] | None = None
    """How one query asks for many ids."""
    batch_size: Annotated[int, Field(ge=1, le=200)] | None = None
    """Ids in one query at most; a URL stays under 2,000 characters all the same."""
    page_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Rows asked for in one page."""
    page_limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Pages of one query at most."""
    fee_fallback: Literal["none", "applied_rate"] | None = None
    """Where the fee comes from when no product carries a price."""
    dispute_sources: (
        tuple[Literal["trouble_ticket", "bill_on_hold", "disputed_balance"], ...] | None
    ) = None
    """What counts as a sign of a dispute; empty: the vendor has none, so nobody disputes."""
    dispute_ticket_types: tuple[str, ...] | None = None
    """Types of a ticket that are billing disputes."""
    dispute_states: tuple[str, ...] | None = None
    """States of a ticket that are active."""
    dispute_window_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days within which a dispute was opened, or changed, to count as active."""
