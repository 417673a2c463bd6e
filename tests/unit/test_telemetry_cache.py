"""What is told of a cache, in figures and in the log."""

import io
import json
from typing import Any

import pytest
from prometheus_client import generate_latest

from proxy.cache.tally import Tally
from proxy.cache.witness import Witness
from proxy.reporting import cache_as_json
from proxy.telemetry import Telemetry
from proxy.telemetry.caching import CacheMeter
from proxy.telemetry.expositions import CacheFigures
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import BreakerRecord, BreakerState, CacheRecord


class Ear:
    def __init__(self) -> None:
        self.out = io.StringIO()
        self.telemetry = Telemetry(Log(self.out, level="info"), Metrics())
        self.meter: CacheMeter = self.telemetry.cache_meter()

    @property
    def figures(self) -> str:
        return generate_latest(self.telemetry.metrics.registry).decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def ear() -> Ear:
    return Ear()


def breaker(state: BreakerState, name: str = "reads") -> BreakerRecord:
    return BreakerRecord(connection="-", name=name, state=state, because="unreachable: 5 of 5")


def test_the_meter_is_what_a_cache_tells(ear: Ear) -> None:
    witness: Witness = ear.meter
    witness.broke("KeyError")
    assert ear.lines[-1]["event"] == "cache_failed"
    assert "bss_sidecar_unforeseen_errors_total 1.0" in ear.figures


def test_each_customer_who_was_looked_for_counts_once(ear: Ear) -> None:
    tally = Tally(hits=5, negative=2, misses=9, outdated=3, bypassed=4)
    ear.meter.looked("amdocs", "billing", tally, 0.002)
    expected = {"hit": 3, "negative": 2, "miss": 2, "outdated": 3, "bypassed": 4}
    for outcome, count in expected.items():
        labels = f'connection="amdocs",outcome="{outcome}",question="billing"'
        assert f"bss_sidecar_cache_customers_total{{{labels}}} {count}.0" in ear.figures
    assert sum(expected.values()) == tally.asked
    assert "bss_sidecar_cache_lookup_duration_seconds_count 1.0" in ear.figures


def test_what_happens_to_entries_is_counted_by_why(ear: Ear) -> None:
    ear.meter.refused("forged")
    ear.meter.bypassed("timeout")
    ear.meter.written(7, 0.001)
    ear.meter.dropped(2, "full")
    ear.meter.refreshed(3, 1)
    ear.meter.stood_in("amdocs", "billing")
    for line in (
        'cache_unopenable_entries_total{why="forged"} 1.0',
        'cache_bypassed_lookups_total{why="timeout"} 1.0',
        "cache_written_entries_total 7.0",
        'cache_dropped_entries_total{why="full"} 2.0',
        'cache_refreshed_customers_total{outcome="renewed"} 3.0',
        'cache_refreshed_customers_total{outcome="failed"} 1.0',
        'cache_stale_answers_total{connection="amdocs",question="billing"} 1.0',
    ):
        assert f"bss_sidecar_{line}" in ear.figures


def test_a_store_that_fails_is_told_once_with_its_own_why_and_once_that_it_is_back(
    ear: Ear,
) -> None:
    ear.meter.bypassed("readonly")
    ear.meter.bypassed("breaker_open")
    ear.meter.dropped(1, "queue_full")
    for state in (
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.OPEN,
        BreakerState.CLOSED,
        BreakerState.CLOSED,
    ):
        ear.meter.breaker_changed(breaker(state))
    assert [(line["event"], line["level"]) for line in ear.lines] == [
        ("cache_failing", "warning"),
        ("cache_recovered", "info"),
    ]
    assert (ear.lines[0]["what"], ear.lines[0]["why"]) == ("reads", "readonly")


def test_what_there_is_now_is_read_at_a_scrape(ear: Ear) -> None:
    record = CacheRecord(
        store="redis", pending=4, refreshing=2, breakers=(breaker(BreakerState.OPEN),)
    )
    ear.telemetry.metrics.registry.register(CacheFigures(lambda: record))
    assert "bss_sidecar_cache_pending_writes 4.0" in ear.figures
    assert "bss_sidecar_cache_refreshing 2.0" in ear.figures
    assert 'bss_sidecar_cache_breaker_state{breaker="reads",state="open"} 1.0' in ear.figures
    assert "\nbss_sidecar_cache_entries " not in ear.figures, "a Redis has those of others too"
    shown = cache_as_json(record)
    assert json.loads(json.dumps(shown))["breakers"]["reads"]["state"] == "open"
