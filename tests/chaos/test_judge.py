"""The judge lets every honest answer pass, and turns red on each kind of wrong one."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Reason
from adapters.simulator.population import customer_id
from tests.chaos.judge import Judge, Kind, Leeway, Question, Said, is_possible, subset_sums
from tests.servers.vendors import NOW

TENANT = "amdocs_demo"
JUDGE = Judge([TENANT], NOW)
FEES = [JUDGE.fee(TENANT, n) for n in range(1_000)]
STRICT = Leeway()
DISPUTING, HARMLESS, PRICELESS, UNKNOWN = 5, 1, 8, 9
FEW = range(12)


def question(kind: Kind, *numbers: int) -> Question:
    return Question(kind, TENANT, "amdocs", tuple(numbers))


def said(status: int, body: object, headers: Mapping[str, str] | None = None) -> Said:
    return Said(status, headers or {}, json.dumps(body).encode())


def wrong(asked: Question, answer: Said | None, leeway: Leeway = STRICT) -> tuple[str, ...]:
    return JUDGE.verdict(asked, answer, leeway).wrong


def why(reason: str = "unreachable", unavailable: int = 1) -> dict[str, str]:
    return {"bss-degraded": f"{reason};unavailable={unavailable}"}


def account(number: int, **changes: Any) -> Said:
    fee = FEES[number]
    body = {
        "customer_id": str(customer_id(TENANT, number)),
        "account_id": None,
        "plan_name": "Home",
        "monthly_fee": None if fee is None else fee / 100,
        "currency": "GBP",
    }
    return said(200, {**body, **changes})


def refusal(reason: str = "unreachable", **changes: Any) -> Said:
    problem = {
        "type": "urn:bss-sidecar:problem:unavailable", "title": "", "status": 503, "reason": reason,
    }  # fmt: skip
    headers = {
        "content-type": "application/problem+json", "retry-after": "5", **why(reason),
    }  # fmt: skip
    return said(503, {**problem, **changes.pop("problem", {})}, {**headers, **changes})


def not_found(kind: str = "unknown-customer") -> Said:
    problem = {"type": f"urn:bss-sidecar:problem:{kind}", "title": "", "status": 404}
    return said(404, problem, {"content-type": "application/problem+json; charset=utf-8"})


def revenue(priced: list[int], asked: int, headers: Mapping[str, str], **changes: Any) -> Said:
    total = sum(FEES[n] or 0 for n in priced)
    body = {
        "total_revenue_at_risk": total / 100 if priced else None,
        "is_estimate": bool(headers),
        "source": "amdocs",
        "priced_customer_count": len(priced),
        "unpriced_customer_count": asked - len(priced),
        "requires_manual_valuation": asked > len(priced),
    }
    return said(200, {**body, **changes}, headers)


def priced(numbers: range | list[int]) -> list[int]:
    return [n for n in numbers if FEES[n] is not None]


def test_no_answer_is_wrong() -> None:
    assert wrong(question("account", 1), None)


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (HARMLESS, account(HARMLESS)),
        (PRICELESS, account(PRICELESS)),
        (UNKNOWN, not_found()),
        (HARMLESS, refusal()),
        (UNKNOWN, refusal()),
    ],
)
def test_an_honest_account_passes(number: int, answer: Said) -> None:
    assert wrong(question("account", number), answer) == ()


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (HARMLESS, account(HARMLESS, monthly_fee=1.23)),
        (HARMLESS, account(HARMLESS, monthly_fee=None)),
        (HARMLESS, account(HARMLESS, currency="EUR")),
        (HARMLESS, account(HARMLESS, customer_id=str(uuid4()))),
        (HARMLESS, account(HARMLESS, monthly_fee=-1)),
        (HARMLESS, account(HARMLESS, more=1)),
        (PRICELESS, account(PRICELESS, monthly_fee=0.0)),
        (UNKNOWN, account(UNKNOWN)),
        (HARMLESS, not_found()),
        (UNKNOWN, not_found("unknown-route")),
        (HARMLESS, said(500, {})),
        (HARMLESS, said(200, [])),
        (HARMLESS, Said(200, {}, b"{")),
        (HARMLESS, refusal(**{"retry-after": "0"})),
        (HARMLESS, refusal(**{"retry-after": "61"})),
        (HARMLESS, refusal(**{"content-type": "text/html"})),
        (HARMLESS, refusal(**{"bss-degraded": "unreachable;unavailable=2"})),
        (HARMLESS, refusal(**{"bss-degraded": "tired;unavailable=1"})),
        (HARMLESS, refusal(**{"bss-degraded": "deadline;unavailable=1"})),
        (HARMLESS, refusal(problem={"status": 500})),
        (HARMLESS, refusal(problem={"type": "about:blank"})),
    ],
)
def test_a_wrong_account_is_wrong(number: int, answer: Said) -> None:
    assert wrong(question("account", number), answer)


def test_what_a_fault_excuses_passes_with_it_alone() -> None:
    unpriced = account(HARMLESS, monthly_fee=None)
    assert wrong(question("account", HARMLESS), unpriced, Leeway(may_unprice=True)) == ()
    assert wrong(question("account", HARMLESS), not_found(), Leeway(may_deny=True)) == ()
    assert wrong(question("account", HARMLESS), not_found(), Leeway(may_unprice=True))
    other = account(HARMLESS, monthly_fee=1.23)
    assert wrong(question("account", HARMLESS), other, Leeway(may_unprice=True, may_deny=True))


def test_an_honest_total_passes_whole_and_in_part() -> None:
    asked = question("revenue", *FEW, 0, 1)  # duplicates count once
    assert wrong(asked, revenue(priced(FEW), 12, {})) == ()
    assert wrong(asked, revenue(priced(FEW)[2:5], 12, why(unavailable=8))) == ()
    assert wrong(asked, revenue([], 12, why(unavailable=12))) == ()


@pytest.mark.parametrize(
    "answer",
    [
        revenue(priced(FEW), 12, {}, total_revenue_at_risk=1.0),
        revenue(priced(FEW), 12, {}, total_revenue_at_risk=None),
        revenue(priced(FEW), 12, {}, is_estimate=True),
        revenue(priced(FEW), 12, {}, source="mock"),
        revenue(priced(FEW), 12, {}, requires_manual_valuation=False),
        revenue(priced(FEW), 12, {}, unpriced_customer_count=5),
        revenue(priced(FEW), 14, {}),
        revenue(priced(FEW)[1:], 12, {}),
        revenue(priced(FEW)[1:], 12, why(unavailable=1), is_estimate=False),
        revenue(priced(FEW)[4:], 12, why(unavailable=1)),
        revenue(priced(FEW)[1:], 12, why(unavailable=9)),
        revenue(priced(FEW)[1:], 12, why(unavailable=1), total_revenue_at_risk=12.345),
        revenue([], 12, why(unavailable=12), total_revenue_at_risk=0.0),
        revenue(priced(range(30))[:11], 12, why(unavailable=1)),
        said(503, {}),
        said(200, {}),
    ],
)
def test_a_wrong_total_is_wrong(answer: Said) -> None:
    assert wrong(question("revenue", *FEW), answer)


def test_a_total_off_by_a_penny_is_wrong_in_part_too() -> None:
    some = priced(FEW)[:4]
    total = (sum(FEES[n] or 0 for n in some) + 1) / 100
    answer = revenue(some, 12, why(unavailable=8), total_revenue_at_risk=total)
    assert wrong(question("revenue", *FEW), answer)


def test_a_large_total_is_exact_when_whole_and_bounded_in_part() -> None:
    asked = question("revenue", *range(200))
    known = priced(range(200))
    assert wrong(asked, revenue(known, 200, {})) == ()
    total = (sum(FEES[n] or 0 for n in known) + 1) / 100
    assert wrong(asked, revenue(known, 200, {}, total_revenue_at_risk=total))
    part = known[:50]
    assert wrong(asked, revenue(part, 200, why(unavailable=150))) == ()
    answer = revenue(part, 200, why(unavailable=150), total_revenue_at_risk=50 * 110.0)
    assert wrong(asked, answer)


def disputes(disputing: list[int], unavailable: list[int], **headers: str) -> Said:
    ids = [[str(customer_id(TENANT, n)) for n in numbers] for numbers in (disputing, unavailable)]
    body = dict(zip(("customer_ids", "unavailable_customer_ids"), ids, strict=True))
    told = why(unavailable=len(unavailable)) if unavailable else {}
    return said(200, body, {**told, **headers})


def test_honest_disputes_pass() -> None:
    asked = question("disputes", *FEW)
    assert wrong(asked, disputes([DISPUTING], [])) == ()
    assert wrong(asked, disputes([], [DISPUTING, 7])) == ()
    assert wrong(asked, disputes([DISPUTING], [0, 7])) == ()
    assert wrong(asked, refusal(**{"bss-degraded": "unreachable;unavailable=11"})) == ()


@pytest.mark.parametrize(
    "answer",
    [
        disputes([], []),
        disputes([], [0, 7]),
        disputes([DISPUTING, HARMLESS], []),
        disputes([DISPUTING], [DISPUTING]),
        disputes([DISPUTING], [7, 0]),
        disputes([DISPUTING, 55], []),
        disputes([DISPUTING], [7], **why(unavailable=2)),
        said(200, {"customer_ids": []}),
        said(200, {"customer_ids": [], "unavailable_customer_ids": [], "more": []}),
        said(404, {}),
    ],
)
def test_wrong_disputes_are_wrong(answer: Said) -> None:
    assert wrong(question("disputes", *FEW), answer)


def test_a_reason_that_the_fault_does_not_give_is_told_and_is_not_wrong() -> None:
    asked, leeway = question("account", HARMLESS), Leeway(reasons=frozenset({Reason.AUTH}))
    expected = JUDGE.verdict(asked, refusal("auth"), leeway)
    other = JUDGE.verdict(asked, refusal("tls"), leeway)
    assert (expected.wrong, expected.unexpected) == ((), False)
    assert (other.wrong, other.unexpected) == ((), True)


def test_a_verdict_names_no_figure_and_no_customer() -> None:
    answer = account(HARMLESS, monthly_fee=1234.56)
    (told,) = wrong(question("account", HARMLESS), answer)
    assert "1234" not in told
    assert str(customer_id(TENANT, HARMLESS)) not in told


@given(st.lists(st.integers(0, 50), max_size=8), st.data())
def test_every_sum_of_some_fees_is_possible(fees: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(fees) - 1))) if fees else set()
    total = sum(fees[n] for n in chosen)
    assert is_possible(total, len(chosen), tuple(sorted(fees)))


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 8), st.integers(0, 400))
def test_no_other_sum_is(fees: list[int], count: int, total: int) -> None:
    known = tuple(sorted(fees))
    possible = is_possible(total, count, known)
    assert possible == (count <= len(fees) and total in subset_sums(known)[count])
    assert not possible or sum(known[:count]) <= total <= sum(known[len(known) - count :])
