"""What came to a vendor, and what it answered: for assertions, and for the control listener."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.simulator.answering import Query
from adapters.simulator.tls import PeerCertificate

REMEMBERED_REQUESTS = 50_000


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it came, whatever was answered."""

    method: str
    kind: str
    """The resource that was asked, `token`, or `other`."""
    path: str = field(repr=False)
    query: Query = field(repr=False)
    certificate: PeerCertificate | None
    """Of the client, as it was shown on this request's connection."""
    correlation_id: str | None
    traceparent: str | None
    tracestate: str | None = None


@dataclass(slots=True)
class Traffic:
    requests: deque[SeenRequest] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))
    """The latest, oldest first."""
    counts: Counter[str] = field(default_factory=Counter)
    """Requests by `SeenRequest.kind`, all since the start."""
    replies: Counter[int] = field(default_factory=Counter)
    """Replies by status."""
    in_flight: int = 0
    most_in_flight: int = 0
    _waiting: list[asyncio.Future[None]] = field(default_factory=list, repr=False)

    async def until(self, holds: Callable[["Traffic"], bool]) -> None:
        """Waits until this holds: `await traffic.until(lambda one: one.in_flight == 0)`."""
        while not holds(self):
            moved = asyncio.get_running_loop().create_future()
            self._waiting.append(moved)
            await moved

    def arrive(self, request: SeenRequest) -> None:
        self.requests.append(request)
        self.counts[request.kind] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._wake()

    def leave(self) -> None:
        self.in_flight -= 1
        self._wake()

    def forget(self) -> None:
        """Start counting anew; what is in flight stays so."""
        self.requests.clear()
        self.counts.clear()
        self.replies.clear()
        self.most_in_flight = self.in_flight

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for moved in waiting:
            if not moved.done():
                moved.set_result(None)
