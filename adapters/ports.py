"""What an adapter is given: one tenant, on one connection, and the doors to the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.exchange import Exchange
from adapters.identity import IdentityMap
from adapters.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`exchange` is set for vendors reached over HTTP, `database` for those in a database."""

    tenant: str
    connection: str
    reporting_currency: str = "GBP"
    identity: IdentityMap
    exchange: Exchange | None = None
    concurrency: int = 32
    """Exchanges that the connection lets through at once."""
    database: Reader | None = None
    database_currency: str = "GBP"
    tmf: Mapping[str, object] = field(default_factory=dict)
    """Settings of the connection that differ from the adapter's own TM Forum profile."""
