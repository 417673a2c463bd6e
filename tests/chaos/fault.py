"""What a fault is, and which there are: one for each file of `faults/`.

To add one, add a file. Its docstring is one paragraph: what breaks in the real world, how it is
made here, what the pod must see. Its one class says the rest:

    class Vendor500(Fault):
        expects = frozenset({Reason.VENDOR_ERROR})
        vendor_faults = (Status(status=500),)

Where the four lists of ways and faults do not suffice, `around` is written out.
"""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from types import ModuleType
from typing import ClassVar, Literal, Protocol, TypeAlias

from adapters.outcome import Reason
from adapters.simulator import faults as by_the_vendor
from tests.chaos import faults as faults_folder
from tests.chaos.judge import Leeway
from tests.chaos.relay import Way
from tests.chaos.world import Lane

Where: TypeAlias = Literal["vendor", "local", "any"]
AFTER_FAILURES = frozenset({Reason.BREAKER_OPEN, Reason.DEADLINE, Reason.OVERLOAD})
"""What any failure of a vendor comes to when it lasts: the breaker opens, or time runs out."""


class Seen(Protocol):
    """What the load has shown, see `trial.Findings`."""

    @property
    def full(self) -> int:
        """How many questions were answered in full."""
        ...

    def quantile_s(self, share: float) -> float:
        """The time within which this share of the answers came."""
        ...


class Fault:
    """One way in which the world breaks. Its name is its file's."""

    name: ClassVar[str]
    expects: ClassVar[frozenset[Reason]] = frozenset()
    """Reasons that `BSS-Degraded` may name while it is in force, beside `AFTER_FAILURES`, which
    come by themselves. Empty: everything is answered in full."""
    shows: ClassVar[bool] = True
    """Where reasons are expected: at least one answer is degraded for one of them. False where it
    may pass unnoticed."""
    where: ClassVar[Where] = "vendor"
    """Which lanes can have it: those of the three vendors, the local database's, or all."""
    shape: ClassVar[str | None] = None
    """The one vendor that can have it, where it is a matter of its APIs."""
    needs_postgres: ClassVar[bool] = False
    alone: ClassVar[bool] = False
    """It reaches beyond its lane, so that no other fault is tried beside it."""
    may_unprice: ClassVar[bool] = False
    may_deny: ClassVar[bool] = False
    """See `judge.Leeway`."""

    ways: ClassVar[tuple[Way, ...]] = ()
    """Between the sidecar and the vendor's APIs, or the local database."""
    token_ways: ClassVar[tuple[Way, ...]] = ()
    """Between the sidecar and the token endpoint."""
    identity_ways: ClassVar[tuple[Way, ...]] = ()
    """Between the sidecar and the identity database; needs PostgreSQL."""
    vendor_faults: ClassVar[tuple[by_the_vendor.Fault, ...]] = ()
    """At the pretend vendor itself."""

    def bites(self, seen: Seen) -> bool:
        """Whether it was felt, where it is tried alone, beyond what `shows` says of answers."""
        return True

    async def again(self, lane: Lane) -> None:
        """Has it happen once more, where it is in force and passes by itself."""

    async def check(self, lane: Lane) -> None:
        """Looks, where it is tried alone and still in force, whether it does what it says, beyond
        what the load shows. Raises `AssertionError`.
        """

    @property
    def leeway(self) -> Leeway:
        return leeway_of(self)

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        """In force inside of the context; all is mended when it is left."""
        async with AsyncExitStack() as stack:
            relays = (lane.relay, lane.token_relay, lane.identity_relay)
            for relay, ways in zip(
                relays, (self.ways, self.token_ways, self.identity_ways), strict=True
            ):
                if ways:
                    assert relay is not None, f"{lane.name} has no such relay"
                    await stack.enter_async_context(relay.behaving(*ways))
            if self.vendor_faults:
                await stack.enter_async_context(lane.answering(*self.vendor_faults))
            yield

    def fits(self, lane: Lane) -> bool:
        """Whether it can be tried on this lane."""
        if self.needs_postgres and not lane.has_postgres:
            return False
        if self.identity_ways and lane.identity_relay is None:
            return False
        if self.where == "any":
            return True
        if self.where == "local":
            return lane.name == "local" and not (self.ways and lane.relay is None)
        return lane.name != "local" and self.shape in (None, lane.name)


def leeway_of(*faults: Fault) -> Leeway:
    """What several at once excuse."""
    reasons = frozenset[Reason]().union(*(one.expects for one in faults))
    return Leeway(
        reasons=reasons | AFTER_FAILURES if reasons else reasons,
        may_unprice=any(one.may_unprice for one in faults),
        may_deny=any(one.may_deny for one in faults),
    )


@cache
def all_faults() -> Mapping[str, Fault]:
    """By name, `no_fault` first."""
    names = sorted(name for _, name, _ in pkgutil.iter_modules(faults_folder.__path__))
    names.sort(key=lambda name: name != "no_fault")
    return {name: _fault_in(name) for name in names}


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"{faults_folder.__name__}.{name}")


def _fault_in(name: str) -> Fault:
    (kind,) = _kinds(module_of(name))
    kind.name = name
    return kind()


def _kinds(module: ModuleType) -> Iterator[type[Fault]]:
    for kind in vars(module).values():
        if (
            isinstance(kind, type)
            and issubclass(kind, Fault)
            and kind.__module__ == module.__name__
        ):
            yield kind
