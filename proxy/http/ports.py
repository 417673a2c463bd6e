"""What the listeners need of the rest of the sidecar.

A `Runtime` is one configuration at work. It is swapped whole when a new configuration is taken
up, so a question holds one `lease` from its first look to its last.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from adapters.lookup import LookupAdapter
from proxy.guard.switch import Forced


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the questions of one tenant are answered."""

    tenant: str
    connection: str
    adapter: LookupAdapter
    """The whole stack of lookup layers, outermost first."""
    forget: Callable[[UUID], Awaitable[None]]
    """Drops what is kept or remembered of a customer of this tenant. Raises `NotForgotten`."""


class Runtime(Protocol):
    """One configuration at work."""

    @property
    def default_tenant(self) -> str | None: ...
    @property
    def single_budget_s(self) -> float: ...
    @property
    def batch_budget_s(self) -> float: ...
    @property
    def batch_ids(self) -> int: ...
    @property
    def body_bytes(self) -> int: ...

    def desk(self, tenant: str) -> Desk | None:
        """`None`: there is no such tenant."""
        ...


Lease: TypeAlias = Callable[[], AbstractContextManager[Runtime]]
"""The runtime of now. It stays open until the last lease on it ends."""
Clock: TypeAlias = Callable[[], datetime]
"""The wall clock, with a zone."""


class NoSuchThing(LookupError):  # noqa: N818  (what is not there, not an error of ours)
    """There is no such connection, or the connection has no such breaker."""

    def __init__(self, what: Literal["connection", "breaker"], known: Iterable[str]) -> None:
        """`known`: the names that there are, as configured; never what was asked for."""
        super().__init__(what)
        self.what: Literal["connection", "breaker"] = what
        self.known = tuple(known)


class Operator(Protocol):
    """What a person may do to a sidecar that serves."""

    def force(
        self, connection: str, breaker: str, forced: Forced, *, correlation_id: str
    ) -> Mapping[str, object]:
        """The breaker's status from now on, as the status page has it. Raises `NoSuchThing`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the status page shows. Nothing personal and no secret is in it."""

    version: str
    started: datetime
    now: datetime
    ready: bool
    configuration: str
    """`good`, `bad` (nothing to serve with) or `outdated` (the last good one serves on)."""
    problems: Sequence[Mapping[str, str]] = ()
    """Of the configuration: `path` and `remedy` of each."""
    files: Sequence[Mapping[str, object]] = ()
    """Those that are not as they should be: `connection`, `file`, `what` and `remedy` of each. If
    `serious`, what was read before serves on."""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """Address of each, or why it is not open."""
    connections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    cache: Mapping[str, object] = field(default_factory=dict)
    """Its store, and what is wrong with it."""
    tenants: Mapping[str, str] = field(default_factory=dict)
    """Connection of each tenant."""
    default_tenant: str | None = None
