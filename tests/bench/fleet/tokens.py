"""A member's access token: fetched once for all who wait, with a rest after a failure."""

from collections.abc import Callable

from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.connection import OF_A_TOKEN_ENDPOINT
from proxy.credentials.renewal import REST_S, rest_s
from proxy.credentials.token_reply import IssuedToken
from proxy.credentials.tokens import Token
from proxy.guard.breaker import Breaker, PermitHeld
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.sockets import Sockets
from tests.bench.fleet.stations import Vendor

Waiter = Callable[[bool], None]
"""Is told whether there is a token."""

_LATE = LookupFailed(Reason.UNREACHABLE, "no answer in time")


class Tokens:
    """As `proxy.credentials.tokens` has them."""

    def __init__(
        self,
        agenda: Agenda,
        vendor: Vendor,
        sockets: Sockets,
        plan: Plan,
        luck: Callable[[], float],
    ) -> None:
        self._agenda, self._vendor, self._sockets = agenda, vendor, sockets
        self._timeout_s = plan.connection.wire.exchange_timeout
        self._life_s = plan.world.token_life_s
        self._luck = luck
        self._waiting: list[Waiter] = []
        self._is_fetching = False
        self._failures = 0
        self._rests_until = 0.0
        self._version = 0
        self.token: Token | None = None
        setting = plan.guard.breaker.model_copy(update=OF_A_TOKEN_ENDPOINT)
        self._breaker = Breaker("token", setting, clock=agenda.clock, luck=luck)

    def begin_with_one(self) -> None:
        """It was fetched some time before the run."""
        self._accept(asked_at=-self._life_s / 2)

    def wants(self, waiter: Waiter) -> bool:
        """Whether there is one now. Else `waiter` is told later."""
        now = self._agenda.now
        if self.token is not None and now < self.token.ends_at:
            if now >= self.token.renew_at:
                self.fetch()
            return True
        self._waiting.append(waiter)
        self.fetch()
        return False

    def renew(self, waiter: Waiter) -> None:
        """One under new credentials; the old one serves meanwhile."""
        self._waiting.append(waiter)
        self.fetch()

    def fetch(self) -> None:
        """For all who wait, unless an attempt is under way, or rests."""
        if self._is_fetching:
            return
        now = self._agenda.now
        if now < self._rests_until:
            self._tell(has_token=False)
            return
        try:
            self._permit: PermitHeld = self._breaker.permit()
        except NotAsked:
            self._rests_until = now + REST_S
            self._tell(has_token=False)
            return
        self._is_fetching, self._began_at = True, now
        ready_at, _, is_open = self._sockets.take(now)
        version = self._sockets.version
        if not is_open:
            self._sockets.give_up()
            self._agenda.at(ready_at, self._failed)
            return
        done_at, late_at = self._vendor.issue(ready_at), now + self._timeout_s
        if done_at > late_at:
            self._agenda.at(late_at, self._cut_off)
        else:
            self._agenda.at(done_at, self._landed, (version, ready_at))

    def _landed(self, came: tuple[int, float]) -> None:
        version, asked_at = came
        self._sockets.give_back(self._agenda.now, version, good=True)
        self._accept(asked_at=asked_at)
        self._permit.success(self._agenda.now - self._began_at)
        self._is_fetching, self._failures = False, 0
        self._tell(has_token=True)

    def _cut_off(self, _of: object) -> None:
        self._sockets.lost(self._agenda.now)
        self._failed(None)

    def _failed(self, _of: object) -> None:
        self._permit.failure(self._agenda.now - self._began_at, _LATE)
        self._is_fetching = False
        self._failures += 1
        self._rests_until = self._agenda.now + rest_s(self._failures, self._luck())
        self._tell(has_token=False)

    def _accept(self, *, asked_at: float) -> None:
        self._version += 1
        issued = IssuedToken("made-up", round(self._life_s))
        self.token = Token.of(issued, version=self._version, asked_at=asked_at, luck=self._luck())

    def _tell(self, *, has_token: bool) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter(has_token)
