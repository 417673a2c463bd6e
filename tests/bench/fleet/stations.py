"""Who serves one after the other: what waits for a station is the station's queue."""

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heapreplace
from typing import Literal

from tests.bench.fleet.plan import World

KEYS_PER_OP = 8.0
"""Keys of one command that cost Redis as much as a command."""
REFUSED_S = 0.002
"""Until somebody is told that there is no room."""

LONGEST_BACKLOG_S = 1.0
"""Of connections that wait for their handshake. More are not accepted."""

Said = Literal["ok", "limited", "busy"]


class Station:
    """So many servers side by side, each of whom takes the next who waits.

    Whoever comes is told at once when the work will be done.
    """

    __slots__ = ("_free_at", "_takes_s")

    def __init__(self, per_s: float, *, servers: int = 1) -> None:
        """`per_s`: what all of them do in a second, together."""
        self._free_at = [0.0] * servers
        self._takes_s = servers / per_s

    def waits_s(self, now: float) -> float:
        """How long somebody who came now would wait for its turn."""
        return max(0.0, self._free_at[0] - now)

    def done_at(self, now: float, work: float = 1.0) -> float:
        """When what comes now is done; `work` in units of what it usually is."""
        done = max(now, self._free_at[0]) + self._takes_s * work
        heapreplace(self._free_at, done)
        return done


@dataclass(slots=True)
class Series:
    """What was counted in each second."""

    seconds: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, now: float, number: float = 1.0) -> None:
        self.seconds[int(now)] += number

    def reach(self, now: float, level: float) -> None:
        """The most of a second."""
        second = int(now)
        self.seconds[second] = max(self.seconds[second], level)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    @property
    def peak(self) -> float:
        return max(self.seconds.values(), default=0.0)


class Vendor:
    """Answers as many at once as it can, lets some more wait, and refuses the others."""

    def __init__(self, world: World) -> None:
        servers = max(1, round(world.vendor_calls_per_s * world.vendor_latency_s))
        self._world = world
        self._answering = Station(servers / world.vendor_latency_s, servers=servers)
        self._shaking = Station(world.handshakes_per_s)
        self._issuing = Station(world.tokens_per_s)
        self._allowance, self._allowed_at = world.vendor_limit_per_s, 0.0
        self.open = 0
        """Connections."""
        self.calls, self.tokens, self.handshakes = Series(), Series(), Series()
        self.refused, self.turned_away = Series(), Series()
        """Calls that were told 429 or 503; connections that were one too many."""
        self.connections = Series()

    def call(self, now: float) -> tuple[float, Said]:
        """When it answers, and what."""
        self.calls.add(now)
        if self._world.vendor_limit_per_s and not self._may(now):
            self.refused.add(now)
            return now + REFUSED_S, "limited"
        if self._answering.waits_s(now) > self._world.vendor_queue_s:
            self.refused.add(now)
            return now + REFUSED_S, "busy"
        return self._answering.done_at(now), "ok"

    def connect(self, now: float) -> float | None:
        """When a new connection is ready; `None`: there are too many. `hang_up` each."""
        is_full = self.open >= self._world.vendor_connections
        if is_full or self._shaking.waits_s(now) > LONGEST_BACKLOG_S:
            self.turned_away.add(now)
            return None
        self.open += 1
        self.connections.reach(now, self.open)
        self.handshakes.add(now)
        return self._shaking.done_at(now)

    def hang_up(self, now: float, number: int = 1) -> None:
        self.connections.reach(now, self.open)
        self.open -= number

    def issue(self, now: float) -> float:
        """When it sends a token."""
        self.tokens.add(now)
        return self._issuing.done_at(now) + self._world.vendor_latency_s

    def _may(self, now: float) -> bool:
        """A second's worth may come at once."""
        most = self._world.vendor_limit_per_s
        earned = (now - self._allowed_at) * most
        self._allowance, self._allowed_at = min(most, self._allowance + earned), now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True


class Redis:
    """Does one command after the other."""

    def __init__(self, world: World) -> None:
        self._latency_s = world.redis_latency_s
        self._doing = Station(world.redis_ops_per_s)
        self.ops = Series()

    def ask(self, now: float, commands: int, keys: int = 0) -> float:
        """When the reply is there to commands that are about so many more keys."""
        self.ops.add(now, commands)
        return self._doing.done_at(now, commands + keys / KEYS_PER_OP) + self._latency_s
