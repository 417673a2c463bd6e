"""Who is told how questions went, and has no say in their answers."""

import pytest

from proxy.http.gate import Gate
from tests.unit.http.doubles import Sidecar, found, serving
from tests.unit.http.test_data import A, account, asking


@pytest.mark.parametrize("which", ["answered", "told"])
async def test_whoever_is_told_of_a_question_and_fails_costs_nobody_an_answer(which: str) -> None:
    """As an audit trail, a log or a tracer may."""
    sidecar = Sidecar()
    sidecar.adapter.billing[A] = found("9.99")
    sidecar.fails = which
    async with serving(sidecar.door(), Gate(loopback_host=True)) as client:
        async with client.ask("POST", "/v1/revenue-at-risk", json=asking(A)) as answer:
            assert answer.status == 200
            assert (await answer.json())["total_revenue_at_risk"] == 9.99
        async with client.ask("GET", account(A)) as answer:
            assert answer.status == 200
    assert [type(error) for error in sidecar.errors] == [RuntimeError, RuntimeError]
    assert len(sidecar.records) == (0 if which == "answered" else 2)
