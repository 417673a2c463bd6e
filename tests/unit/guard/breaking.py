"""A breaker at a clock that tests move."""

from typing import Any

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.guard.breaker import Breaker
from proxy.guard.switch import Switch

DOWN = LookupFailed(Reason.UNREACHABLE, "no connection")
QUICK_S = 0.01


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A breaker, its clock and its luck. `setting` as in the configuration file."""

    def __init__(self, *, luck: float = 0.5, switch: Switch | None = None, **setting: Any) -> None:
        self.clock = Clock()
        self.luck = luck
        self.setting = settings.Breaker.model_validate(setting)
        self.breaker = self.another(switch or Switch())

    def another(self, switch: Switch) -> Breaker:
        return Breaker(
            "vendor", self.setting, clock=self.clock, luck=lambda: self.luck, switch=switch
        )

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    def succeed(self, times: int = 1, *, took_s: float = QUICK_S) -> None:
        for _ in range(times):
            self.breaker.permit().success(took_s)

    def fail(
        self, times: int = 1, *, took_s: float = QUICK_S, failure: LookupFailed = DOWN
    ) -> None:
        for _ in range(times):
            self.breaker.permit().failure(took_s, failure)

    def refusal(self) -> NotAsked | None:
        """What somebody hears who looks; who wants a permit hears the same."""
        heard: list[NotAsked | None] = []
        for ask in (self.breaker.admit, lambda: self.breaker.permit().neither()):
            try:
                ask()
            except NotAsked as refused:
                heard.append(refused)
            else:
                heard.append(None)
        looking, asking = heard
        assert (looking and vars(looking)) == (asking and vars(asking))
        return looking

    def opened(self) -> "Bench":
        """It has just opened, for the first time."""
        while self.breaker.state_now() == "closed":
            self.fail()
        return self

    def half_opened(self) -> "Bench":
        """Its first probe may go."""
        self.opened().wait(self.breaker.status().opens_for_s + 1e-9)
        return self
