"""What is told of exchanges and breakers: in the log, in the figures, and when it is forgotten."""

import asyncio
import io
import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest

from adapters.outcome import Reason
from proxy.guard.breaker import BreakerStatus
from proxy.guard.switch import Forced
from proxy.operator import Overrides
from proxy.telemetry import Telemetry
from proxy.telemetry.exchanges import Meter
from proxy.telemetry.expositions import GuardFigures
from proxy.telemetry.log import Log
from proxy.telemetry.loop_lag import watch_loop
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import BreakerRecord, BreakerState, GuardRecord
from proxy.vigil import Vigil

NOW = datetime(2026, 11, 22, 3, 12, 7, tzinfo=UTC)
CLOSED = BreakerRecord(connection="amdocs", name="vendor", state=BreakerState.CLOSED)
OPEN = replace(
    CLOSED,
    state=BreakerState.OPEN,
    opens_for_s=1.04,
    because="unreachable: 6 of 10 exchanges failed",
)
HALF_OPEN = replace(OPEN, state=BreakerState.HALF_OPEN, opens_for_s=0.0)
FORCED_OPEN = replace(CLOSED, state=BreakerState.FORCED_OPEN)


class Ear:
    """Hears what is logged, and sees the figures."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.telemetry = Telemetry(Log(self.out, level="debug"), Metrics())

    def lines(self) -> list[dict[str, Any]]:
        """Those since the last time."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return [json.loads(line) for line in text.splitlines()]

    @property
    def figures(self) -> str:
        return generate_latest(self.telemetry.metrics.registry).decode()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def meter(ear: Ear) -> Meter:
    return ear.telemetry.meter("amdocs")


def test_a_breaker_that_opens_is_a_warning_with_why_and_for_how_long(
    ear: Ear, meter: Meter
) -> None:
    meter.breaker_changed(OPEN)
    (line,) = ear.lines()
    assert line.pop("timestamp")
    assert line == {
        "level": "warning",
        "event": "breaker",
        "connection": "amdocs",
        "breaker": "vendor",
        "state": "open",
        "because": "unreachable: 6 of 10 exchanges failed",
        "for_s": 1.0,
    }
    assert 'bss_sidecar_breaker_opened_total{breaker="vendor",connection="amdocs"} 1.0' in (
        ear.figures
    )


def test_a_night_long_outage_warns_once_and_says_when_it_is_over(ear: Ear, meter: Meter) -> None:
    meter.breaker_changed(OPEN)
    for because in ("unreachable: the probe failed", "unreachable: the probe failed again"):
        meter.breaker_changed(HALF_OPEN)
        meter.breaker_changed(replace(OPEN, because=because))
    meter.breaker_changed(HALF_OPEN)
    meter.breaker_changed(CLOSED)
    lines = ear.lines()
    assert [line["state"] for line in lines if line["level"] == "warning"] == ["open"]
    assert [line["state"] for line in lines if line["level"] == "info"] == [
        "open",
        "open",
        "closed",
    ]
    assert {line["state"] for line in lines if line["level"] == "debug"} == {"half_open"}


def test_another_cause_is_news(ear: Ear, meter: Meter) -> None:
    meter.breaker_changed(OPEN)
    meter.breaker_changed(replace(OPEN, because="tls: the probe failed"))
    meter.breaker_changed(CLOSED)
    meter.breaker_changed(OPEN)
    assert [line["level"] for line in ear.lines()] == ["warning", "warning", "info", "warning"]


def test_breakers_of_one_connection_are_told_apart(ear: Ear, meter: Meter) -> None:
    meter.breaker_changed(OPEN)
    meter.breaker_changed(replace(OPEN, name="token"))
    assert [line["level"] for line in ear.lines()] == ["warning", "warning"]
    meter.breaker_changed(replace(CLOSED, name="token"))
    meter.breaker_changed(replace(OPEN, because="unreachable: again"))
    assert [line["level"] for line in ear.lines()] == ["info", "info"]


def test_a_breaker_that_closes_without_having_opened_is_no_news(ear: Ear, meter: Meter) -> None:
    meter.breaker_changed(FORCED_OPEN)
    meter.breaker_changed(CLOSED)
    assert [line["level"] for line in ear.lines()] == ["debug"]


def test_exchanges_are_counted_by_how_they_end_and_timed_if_they_left(
    ear: Ear, meter: Meter
) -> None:
    before = ear.figures
    meter.exchanged(None, 0.04)
    meter.exchanged(Reason.UNREACHABLE, 0.7)
    meter.exchanged(Reason.BREAKER_OPEN, None)
    meter.retried()
    meter.hedged()
    meter.reconnected()
    for line in (
        'exchanges_total{connection="amdocs",outcome="ok"} 1.0',
        'exchanges_total{connection="amdocs",outcome="unreachable"} 1.0',
        'exchanges_total{connection="amdocs",outcome="breaker_open"} 1.0',
        'exchange_duration_seconds_count{connection="amdocs"} 2.0',
        'exchange_duration_seconds_bucket{connection="amdocs",le="0.05"} 1.0',
        'retries_total{connection="amdocs",why="retry"} 1.0',
        'retries_total{connection="amdocs",why="hedge"} 1.0',
        'retries_total{connection="amdocs",why="reconnect"} 1.0',
    ):
        assert f"bss_sidecar_{line}" in ear.figures
    zero = 'bss_sidecar_exchanges_total{connection="amdocs",outcome="tls"} 0.0'
    assert zero in before, "a rate needs the series before its first event"
    assert before.count("\n") == ear.figures.count("\n"), "whatever happens makes no new series"


def test_two_meters_of_a_connection_count_as_one(ear: Ear, meter: Meter) -> None:
    """As after a reload, when two generations of a connection work side by side."""
    meter.exchanged(None, 0.1)
    ear.telemetry.meter("amdocs").exchanged(None, 0.1)
    assert 'exchanges_total{connection="amdocs",outcome="ok"} 2.0' in ear.figures


def guard(*breakers: BreakerRecord) -> GuardRecord:
    return GuardRecord(
        connection="amdocs", breakers=breakers, in_flight=3, queued=7, concurrency_limit=16
    )


def test_the_gauge_of_a_breaker_is_1_for_its_state_and_0_for_the_others(ear: Ear) -> None:
    guards = [guard(OPEN, replace(CLOSED, name="token"))]
    ear.telemetry.metrics.registry.register(GuardFigures(lambda: guards, lambda: 5))
    for state in BreakerState:
        for breaker, its in (("vendor", BreakerState.OPEN), ("token", BreakerState.CLOSED)):
            labels = f'breaker="{breaker}",connection="amdocs",state="{state}"'
            assert f"bss_sidecar_breaker_state{{{labels}}} {float(state is its)}" in ear.figures
    for line in (
        'exchanges_in_flight{connection="amdocs"} 3.0',
        'exchanges_queued{connection="amdocs"} 7.0',
        'concurrency_limit{connection="amdocs"} 16.0',
        "flights 5.0",
    ):
        assert f"bss_sidecar_{line}" in ear.figures
    guards.clear()
    assert "breaker_state{" not in ear.figures, "a connection that is gone leaves no series"


def test_records_say_what_a_breaker_says() -> None:
    fields = set(BreakerStatus.__dataclass_fields__)
    assert fields - {"forced"} == set(BreakerRecord.__dataclass_fields__) - {"connection"}


async def test_the_lag_of_the_loop_is_what_it_overslept() -> None:
    late: list[float] = []
    heard = asyncio.Event()

    def tell(late_s: float) -> None:
        late.append(late_s)
        heard.set()

    watching = asyncio.get_running_loop().create_task(watch_loop(tell, beat_s=0.01))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    until = loop.time() + 0.15
    while loop.time() < until:
        """The loop is busy."""
    await heard.wait()
    watching.cancel()
    assert late[0] >= 0.13


def test_a_lag_is_a_figure(ear: Ear) -> None:
    ear.telemetry.metrics.lagged(0.2)
    assert 'bss_sidecar_event_loop_lag_seconds_bucket{le="0.1"} 0.0' in ear.figures
    assert 'bss_sidecar_event_loop_lag_seconds_bucket{le="0.25"} 1.0' in ear.figures


class RuntimeDouble:
    """One breaker that does as it is told."""

    def __init__(self) -> None:
        self.breaker = CLOSED

    def guards(self) -> Iterable[GuardRecord]:
        return [guard(self.breaker)]

    def force(self, connection: str, breaker: str, forced: Forced) -> BreakerRecord:
        state = BreakerState(f"forced_{forced}") if forced else BreakerState.CLOSED
        self.breaker = replace(self.breaker, state=state)
        return self.breaker


class Night:
    """An operator's hours."""

    def __init__(self, ear: Ear) -> None:
        self.now = NOW
        self.runtime = RuntimeDouble()
        self.overrides = Overrides(
            lambda: self.runtime, telemetry=ear.telemetry, clock=lambda: self.now
        )
        self.vigil = Vigil(ear.telemetry)

    def force(self, forced: Forced) -> Any:
        return self.overrides.force("amdocs", "vendor", forced, correlation_id="night-1")

    def look(self) -> None:
        self.vigil.look((), files=(), certificates=(), forced=self.overrides.forced(), now=self.now)

    @property
    def shown(self) -> Any:
        status = self.overrides.shown({"amdocs": {"in_flight": 3}, "mock": {}})
        assert status["amdocs"]["in_flight"] == 3
        assert status["mock"] == {}
        breakers: Any = status["amdocs"]["breakers"]
        return breakers["vendor"]


def test_forcing_a_breaker_is_told_with_the_request_that_did_it(ear: Ear) -> None:
    night = Night(ear)
    answer = night.force("open")
    assert answer["forced_since"] == "2026-11-22T03:12:07+00:00"
    assert (answer["state"], answer) == ("forced_open", night.shown)
    night.force(None)
    forced, released = ear.lines()
    assert (forced["event"], forced["level"]) == ("breaker_forced", "warning")
    assert (forced["state"], forced["correlation_id"]) == ("forced_open", "night-1")
    assert (released["event"], released["state"]) == ("breaker_released", "closed")
    assert night.shown["forced_since"] is None


def test_since_when_is_kept_until_it_is_forced_otherwise(ear: Ear) -> None:
    night = Night(ear)
    night.force("open")
    night.now += timedelta(minutes=5)
    assert night.force("open")["forced_since"] == "2026-11-22T03:12:07+00:00"
    assert night.force("closed")["forced_since"] == "2026-11-22T03:17:07+00:00"
    night.force(None)
    night.now += timedelta(minutes=5)
    assert night.force("open")["forced_since"] == "2026-11-22T03:22:07+00:00"


def test_a_forced_breaker_that_nobody_gave_back_is_told_of_every_hour(ear: Ear) -> None:
    night = Night(ear)
    night.force("closed")
    ear.lines()
    told = []
    for _ in range(6 * 5):
        night.look()
        told += ear.lines()
        night.now += timedelta(minutes=30) / 5
    assert [line["event"] for line in told] == ["breaker_still_forced"] * 2
    assert told[0]["remedy"] == "bss-sidecar breaker amdocs auto --breaker vendor"
    assert told[0]["since"] == "2026-11-22T03:12:07+00:00"
    night.force(None)
    night.force("open")
    ear.lines()
    night.look()
    assert ear.lines() == [], "it has been forced anew just now"


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_finds_nothing_wrong_with_the_figures(ear: Ear, meter: Meter) -> None:
    meter.exchanged(None, 0.04)
    meter.breaker_changed(OPEN)
    ear.telemetry.metrics.registry.register(GuardFigures(lambda: [guard(OPEN)], lambda: 5))
    judged = subprocess.run(
        ["promtool", "check", "metrics"],
        input=ear.figures,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
