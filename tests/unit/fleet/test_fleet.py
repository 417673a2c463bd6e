"""The simulation of a fleet: what must hold of any run, at a size that takes no time."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.fleet import outage, rotation
from tests.bench.fleet.cases import Case
from tests.bench.fleet.exchanges import Exchanges
from tests.bench.fleet.member import Surroundings
from tests.bench.fleet.plan import Demand, Plan, World, connection
from tests.bench.fleet.question import Exchange, Question
from tests.bench.fleet.rotation import Rotation
from tests.bench.fleet.stations import Station
from tests.bench.fleet.tables import parts

ROOT = Path(__file__).parents[3]

DEMAND = Demand(customers=400, asked_by=2, batch=50, singles=0.0, again_s=2.0, again_until_s=30.0)
ABLE = World(vendor_calls_per_s=2_000.0)
SWAMPED = World(vendor_calls_per_s=60.0)
SMALL = Plan(sidecars=8, demand=DEMAND, world=ABLE)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.integers(1, 5))
def test_a_station_never_does_more_than_it_can(arrivals: list[float], servers: int) -> None:
    station = Station(float(servers), servers=servers)
    done = sorted(station.done_at(now) for now in sorted(arrivals))
    for first, last in zip(done, done[servers:], strict=False):
        assert last - first >= 1.0 - 1e-9


def test_the_same_plan_comes_to_the_same_outcome() -> None:
    first, second = outage.play(SMALL), outage.play(SMALL)
    assert first == second


def test_another_seed_comes_to_another_outcome() -> None:
    assert outage.play(SMALL).whole_at != outage.play(replace(SMALL, seed=2)).whole_at


def test_an_able_vendor_lets_every_first_answer_be_whole() -> None:
    outcome = outage.play(SMALL)
    assert outcome.degraded == outcome.never_answered == 0
    assert len(outcome.whole_at) == outcome.questions == 16


def test_a_swamped_vendor_degrades_answers_and_is_done_later() -> None:
    able, swamped = outage.play(SMALL), outage.play(replace(SMALL, world=SWAMPED))
    assert swamped.degraded > able.degraded
    assert swamped.last_answered_s > able.last_answered_s


def test_a_shared_cache_spares_the_vendor_what_others_asked_for() -> None:
    """Pods come one after the other; each customer is asked about by two of them."""
    plan = replace(SMALL, demand=replace(DEMAND, within_s=8.0))
    shared = outage.play(plan)
    alone = outage.play(replace(plan, shared_cache=False))
    assert alone.calls.total > 1.7 * DEMAND.customers  # a pod may ask about somebody twice
    assert DEMAND.customers <= shared.calls.total < 1.6 * DEMAND.customers
    assert alone.redis_ops.total == 0 < shared.redis_ops.total


def test_each_sidecar_asks_for_one_token_however_many_wait_for_it() -> None:
    assert outage.play(replace(SMALL, has_tokens=False)).tokens.total == SMALL.sidecars


def test_a_fleet_that_keeps_connections_has_its_tokens_when_something_happens() -> None:
    """Which one without them let go of."""
    assert outage.play(SMALL).tokens.total == 0
    assert outage.play(replace(SMALL, warm=0)).tokens.total == SMALL.sidecars


def test_a_token_endpoint_that_is_too_slow_degrades_what_waits_for_it() -> None:
    slow = replace(ABLE, tokens_per_s=0.5)
    assert outage.play(replace(SMALL, world=slow, has_tokens=False)).degraded > 0


@pytest.mark.parametrize("number", [1, 4])
def test_a_sidecar_opens_no_more_connections_than_it_may(number: int) -> None:
    plan = replace(SMALL, connection=connection(concurrency=number), warm=0, world=SWAMPED)
    assert outage.play(plan).connections.peak <= plan.sidecars * (number + 1)


def test_a_vendor_that_takes_few_connections_turns_the_others_away() -> None:
    few = replace(ABLE, vendor_connections=20)
    outcome = outage.play(replace(SMALL, world=few, warm=0))
    assert outcome.connections.peak <= 20
    assert outcome.turned_away.total > 0


def test_queries_about_several_customers_are_so_many_times_fewer() -> None:
    tmf = SMALL.connection.tmf.model_copy(update={"batch_style": "comma", "batch_size": 50})
    together = SMALL.connection.model_copy(update={"tmf": tmf})
    outcome = outage.play(replace(SMALL, connection=together, shared_cache=False))
    assert outcome.calls.total == 2 * DEMAND.customers / 50


def test_a_slow_redis_is_left_alone_and_costs_no_answer() -> None:
    slow = replace(ABLE, redis_ops_per_s=20.0)
    outcome = outage.play(replace(SMALL, world=slow))
    assert outcome.bypassed > 0
    assert outcome.degraded == 0


def test_a_rotation_that_is_spread_asks_less_of_a_second() -> None:
    plan = Plan(sidecars=40, world=ABLE, warm=4)
    at_once = rotation.play(plan, Rotation(spread_s=0.0, load=0.01))
    spread = rotation.play(plan, Rotation(spread_s=40.0, load=0.01))
    assert at_once.tokens.peak == plan.sidecars
    assert spread.tokens.peak < at_once.tokens.peak / 4
    assert spread.handshakes.peak < at_once.handshakes.peak / 4


def test_warm_connections_multiply_the_handshakes_of_a_rotation() -> None:
    plan = Plan(sidecars=40, world=ABLE, warm=0)
    cold = rotation.play(plan, Rotation(load=0.0))
    warm = rotation.play(replace(plan, warm=4), Rotation(load=0.0))
    assert warm.handshakes.total - cold.handshakes.total >= 3 * plan.sidecars


def test_new_files_that_come_to_all_at_once_are_taken_up_at_moments_by_chance() -> None:
    few = replace(ABLE, handshakes_per_s=200.0)
    plan = Plan(sidecars=40, world=few, warm=4)
    spread = rotation.play(plan, Rotation(load=0.0))
    together = rotation.play(replace(plan, jitter=False), Rotation(load=0.0))
    assert spread.handshakes.total < together.handshakes.total, "fewer fail, and are tried again"


def test_connections_of_a_rotation_that_could_not_be_opened_are_opened_later() -> None:
    slow = replace(ABLE, handshakes_per_s=50.0)
    outcome = rotation.play(Plan(sidecars=40, world=slow, warm=4), Rotation(load=0.0))
    assert outcome.turned_away.total > 0
    assert max(outcome.handshakes.seconds) > rotation.SETTLES_S + 2


@pytest.mark.parametrize("number", [1, 40])
def test_what_a_breaker_refuses_is_played_at_once_as_if_one_by_one(number: int) -> None:
    at_once, one_by_one = refusing(), refusing()
    assert at_once.refuses(number)
    for _ in range(number):
        question = Question([1], asked_at=0.0, deadline=1.0, on_end=lambda _: None)
        one_by_one.begin(Exchange([1], question))
    assert at_once.guard.retries._left == one_by_one.guard.retries._left
    assert at_once.retried == one_by_one.retried == 0


def refusing() -> Exchanges:
    around = Surroundings(SMALL)
    exchanges = Exchanges(
        around.agenda,
        around.vendor,
        SMALL,
        lambda: 0.5,
        loop=Station(1.0),
        on_reply=lambda _exchange, _failure: None,
    )
    exchanges.guard.breaker.force("open")
    return exchanges


@pytest.mark.parametrize("world", [ABLE, SWAMPED])
def test_one_of_ten_sidecars_stands_for_the_others(world: World) -> None:
    """With a tenth of the customers and of the vendor."""
    tenfold = replace(world, vendor_calls_per_s=10 * world.vendor_calls_per_s)
    demand = replace(DEMAND, customers=4_000)
    plan = Plan(sidecars=80, demand=demand, world=tenfold)
    whole, sampled = Case("whole", plan).play(), Case("sampled", plan, scale=10).play()
    assert sampled["questions"] == whole["questions"]
    assert sampled["total"]["calls"] == pytest.approx(whole["total"]["calls"], rel=0.15)
    assert sampled["peak"]["calls"] == pytest.approx(whole["peak"]["calls"], rel=0.2)
    assert sampled["degraded"] == pytest.approx(whole["degraded"], abs=0.1)


def test_the_tables_of_the_document_are_those_of_the_results_that_are_kept() -> None:
    document = (ROOT / "docs/capacity.md").read_text(encoding="utf-8")
    results = json.loads((ROOT / "tests/bench/fleet/results.json").read_text(encoding="utf-8"))
    drawn = parts(results)
    assert len(drawn) == 3
    assert [one for one in drawn if one not in document] == []
