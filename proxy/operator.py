"""What an operator has taken in hand: which breakers, and since when."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

from proxy.guard.switch import Forced
from proxy.http.ports import Clock
from proxy.telemetry import Telemetry
from proxy.telemetry.records import BreakerRecord, GuardRecord


class Guarded(Protocol):
    """A runtime as an operator sees it."""

    def guards(self) -> Iterable[GuardRecord]: ...

    def force(self, connection: str, breaker: str, forced: Forced) -> BreakerRecord:
        """The breaker as it is from now on. Raises `NoSuchThing`."""
        ...


class Overrides:
    """Forces breakers of the runtime of the moment, and remembers since when.

    The force itself outlives a runtime, as what connections share does; it ends with the process.
    """

    def __init__(
        self, runtime: Callable[[], Guarded], *, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._runtime = runtime
        self._telemetry = telemetry
        self._clock = clock
        self._since: dict[tuple[str, str], tuple[str, datetime]] = {}

    def force(
        self, connection: str, breaker: str, forced: Forced, *, correlation_id: str
    ) -> Mapping[str, object]:
        """Raises `NoSuchThing`."""
        record = self._runtime().force(connection, breaker, forced)
        self._note(record)
        self._telemetry.forced(record, correlation_id=correlation_id)
        return self._shown(record)

    def forced(self) -> Iterator[tuple[BreakerRecord, datetime]]:
        """The breakers that are forced now, and since when."""
        for guard in self._runtime().guards():
            for breaker in guard.breakers:
                if (since := self._note(breaker)) is not None:
                    yield breaker, since

    def shown(
        self, connections: Mapping[str, Mapping[str, object]]
    ) -> dict[str, Mapping[str, object]]:
        """The status of connections, with that of their breakers."""
        shown = dict(connections)
        for guard in self._runtime().guards():
            breakers = {one.name: self._shown(one) for one in guard.breakers}
            shown[guard.connection] = {**shown.get(guard.connection, {}), "breakers": breakers}
        return shown

    def _shown(self, breaker: BreakerRecord) -> Mapping[str, object]:
        fields = asdict(breaker)
        del fields["connection"], fields["name"]
        since = self._note(breaker)
        return fields | {"forced_since": since and since.isoformat(timespec="seconds")}

    def _note(self, breaker: BreakerRecord) -> datetime | None:
        """Since when it is forced as it is now; `None`: it is not."""
        key = breaker.connection, breaker.name
        if not breaker.is_forced:
            self._since.pop(key, None)
            return None
        state, since = self._since.get(key, ("", self._clock()))
        if state != breaker.state:
            since = self._clock()
        self._since[key] = breaker.state, since
        return since
