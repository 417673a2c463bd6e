"""Contract, section 2.3: customers with an active billing dispute in the last 30 days."""

from uuid import UUID

import pytest

from tests.contract.subject import Subject, ids, is_unknown
from tests.servers.patience import TooLate, patiently

pytestmark = pytest.mark.asyncio(loop_scope="session")


@patiently
async def test_of_200_customers_exactly_those_in_dispute_are_named(subject: Subject) -> None:
    customers = subject.customers[:200]
    disputing = ids(one for one in customers if one.disputes)
    assert len(disputing) >= 2
    answer = await subject.adapter.check_disputes(ids(customers))
    if set(answer) < set(disputing):
        raise TooLate("a part of the batch was known at its deadline")
    assert answer == disputing


async def test_disputes_come_in_the_order_asked(subject: Subject) -> None:
    customers = list(subject.customers[:60])[::-1]
    disputing = ids(one for one in customers if one.disputes)
    assert await subject.adapter.check_disputes(ids(customers)) == disputing


async def test_disputes_are_a_list_of_uuids(subject: Subject) -> None:
    answer = await subject.adapter.check_disputes(ids(subject.some(lambda one: one.disputes)))
    assert isinstance(answer, list)
    assert answer
    assert all(isinstance(one, UUID) for one in answer)


async def test_a_dispute_closed_long_ago_does_not_count(subject: Subject) -> None:
    former = subject.some(lambda one: one.disputed_long_ago, 2)
    assert await subject.adapter.check_disputes(ids(former)) == []


async def test_a_customer_in_dispute_asked_for_twice_is_named_once(subject: Subject) -> None:
    disputing = ids(subject.some(lambda one: one.disputes, 2))
    assert await subject.adapter.check_disputes(disputing * 2) == disputing


async def test_unknown_customers_have_no_disputes_and_raise_nothing(subject: Subject) -> None:
    unknown = ids(subject.some(is_unknown))
    disputing = ids(subject.some(lambda one: one.disputes, 1))
    assert await subject.adapter.check_disputes(unknown + disputing) == disputing
    assert await subject.adapter.check_disputes(unknown) == []


async def test_nobody_asked_for_is_nobody_in_dispute(subject: Subject) -> None:
    assert await subject.adapter.check_disputes([]) == []
