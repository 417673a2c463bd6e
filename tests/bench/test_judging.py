"""What a measure says of the answers and figures that it saw."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.group import Group
from config.settings import Connection
from tests.bench.asking_steadily import wrong_account, wrong_problem, wrong_result
from tests.bench.figures import Sample
from tests.bench.lab import batch, single
from tests.bench.measures.growth import SIZES, further
from tests.bench.measures.sla import percentile
from tests.bench.measures.soak import Course, draw, findings
from tests.bench.measures.uncached import warm_up
from tests.bench.vendor_rows import customer, fee

NUMBERS = st.lists(st.integers(0, 10_000), min_size=1, max_size=30, unique=True)
EXACT = Decimal("0.01")


def result(numbers: list[int], priced: int) -> dict[str, object]:
    total = float(sum(map(fee, numbers[:priced]))) if priced else None
    return {
        "total_revenue_at_risk": total,
        "is_estimate": priced < len(numbers),
        "source": "amdocs",
        "priced_customer_count": priced,
        "unpriced_customer_count": len(numbers) - priced,
        "requires_manual_valuation": priced < len(numbers),
    }


@given(NUMBERS, st.data())
def test_a_right_answer_is_valid_whole_or_degraded(numbers: list[int], data: st.DataObject) -> None:
    priced = data.draw(st.integers(0, len(numbers)))
    assert wrong_result(numbers, json.dumps(result(numbers, priced)).encode()) == ""


@given(NUMBERS, st.sampled_from([-0.01, 0.01, 1_000_000]))
def test_a_whole_answer_whose_total_is_off_by_a_penny_is_invalid(
    numbers: list[int], off: float
) -> None:
    body = result(numbers, len(numbers))
    body["total_revenue_at_risk"] = round(float(sum(map(fee, numbers))) + off, 2)
    assert wrong_result(numbers, json.dumps(body).encode()) == "a wrong total"


@given(NUMBERS)
def test_counts_and_flags_that_do_not_fit_are_invalid(numbers: list[int]) -> None:
    whole = result(numbers, len(numbers))
    short = whole | {"priced_customer_count": len(numbers) - 1}
    flagged = whole | {"requires_manual_valuation": True}
    no_total = whole | {"total_revenue_at_risk": None}
    for body in (short, flagged, no_total):
        assert wrong_result(numbers, json.dumps(body).encode())
    assert wrong_result(numbers, b'{"total_revenue_at_risk": 1}') == "a result that is none"


@given(st.integers(0, 10_000))
def test_an_account_is_right_for_its_own_customer_and_fee_alone(n: int) -> None:
    account = {"customer_id": str(customer(n)), "monthly_fee": float(fee(n)), "currency": "GBP"}
    dearer = account | {"monthly_fee": float(fee(n) + EXACT)}
    assert wrong_account(n, json.dumps(account).encode()) == ""
    assert wrong_account(n, json.dumps(dearer).encode()) == "a wrong fee"
    assert wrong_account(n + 1, json.dumps(account).encode()) == "somebody else's account"
    assert wrong_account(n, b"{}") == "an account that is none"


def test_a_problem_without_a_type_is_invalid() -> None:
    assert wrong_problem(b'{"status": 503, "type": "urn:x"}') == ""
    assert wrong_problem(b'{"status": 503}')
    assert wrong_problem(b"<html>")


@given(st.floats(0.1, 10), st.floats(0.01, 1))
def test_a_batch_on_a_straight_line_is_flat_and_a_quadratic_one_is_not(
    fixed: float, each: float
) -> None:
    line = [Sample.of(fixed + each * size) for size in SIZES]
    square = [Sample.of(fixed + each * size * size) for size in SIZES]
    assert abs(further(line, SIZES).median - 1) < 0.01
    assert further(square, SIZES).median > 2


@given(st.floats(50, 500), st.floats(0.5, 20))
def test_memory_that_climbs_is_seen_whatever_it_was_while_it_warmed_up(
    at_first: float, climbs: float
) -> None:
    minutes = [float(n) for n in range(40)]
    steady = Course(minutes, [at_first] * 10 + [120.0] * 30)
    climbing = Course(minutes, [120 + climbs * n for n in minutes])
    assert steady.growth_mib == 0
    assert climbing.growth_mib > 9 * climbs
    assert abs(climbing.mib_an_hour - 60 * climbs) < 0.1


def test_a_soak_is_told_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="its lock is requirements/plots.txt")
    course = Course([0.1, 0.2], [100.0, 101.0], 300, ["a wrong fee"])
    assert "1 invalid answers a wrong fee" in findings(course).notes[0]
    draw(course, tmp_path / "soak.svg")
    assert b"<svg" in (tmp_path / "soak.svg").read_bytes()


@given(st.lists(st.floats(0, 1e6), max_size=200))
def test_no_more_than_one_in_twenty_is_beyond_the_95th_percentile(figures: list[float]) -> None:
    edge = percentile(figures, 0.95)
    assert sum(one > edge for one in figures) <= len(figures) / 20


def test_what_is_asked_knows_its_answer_to_the_penny() -> None:
    total = sum(fee(n) for n in range(3))
    assert json.loads(b"{" + batch(range(3)).holds.rstrip(b",") + b"}") == {
        "total_revenue_at_risk": float(total)
    }
    assert str(customer(7)).encode() in single(7).request


def test_the_warm_up_is_a_setting_that_this_product_has() -> None:
    ((group, settings),) = warm_up().items()
    wanted = Connection.model_fields[group].annotation
    assert isinstance(wanted, type)
    assert issubclass(wanted, Group)
    assert settings.keys() <= wanted.model_fields.keys()
