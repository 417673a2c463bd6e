"""Contract, section 2.1: the billing account of one customer."""

from uuid import UUID

import pytest

from adapters.bss_adapter import BillingAccountInfo
from tests.contract.subject import (
    Customer,
    Subject,
    exact,
    ids,
    is_priced,
    is_unknown,
    is_without_a_price,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def account_of(subject: Subject, customer: Customer) -> BillingAccountInfo:
    account = await subject.adapter.get_billing_account(customer.customer_id)
    assert account is not None
    return account


async def test_the_account_has_the_fields_and_types_of_the_contract(subject: Subject) -> None:
    for customer in subject.some(is_priced):
        account = await account_of(subject, customer)
        assert isinstance(account, BillingAccountInfo)
        assert isinstance(account.customer_id, UUID)
        assert isinstance(account.account_id, UUID | None)
        assert isinstance(account.plan_name, str | None)
        assert isinstance(account.monthly_fee, float)
        assert isinstance(account.currency, str)


async def test_the_account_serialises_to_exactly_the_fields_of_the_contract(
    subject: Subject,
) -> None:
    account = await account_of(subject, subject.some(is_priced)[0])
    assert list(account.model_dump(mode="json")) == [
        "customer_id",
        "account_id",
        "plan_name",
        "monthly_fee",
        "currency",
    ]


async def test_the_account_is_that_of_the_customer_asked_for(subject: Subject) -> None:
    asked = subject.some(is_priced)
    assert [(await account_of(subject, one)).customer_id for one in asked] == ids(asked)


async def test_an_unknown_customer_gives_none_and_no_exception(subject: Subject) -> None:
    for customer in subject.some(is_unknown):
        assert await subject.adapter.get_billing_account(customer.customer_id) is None


async def test_an_id_that_nobody_ever_gave_out_gives_none_and_no_exception(
    subject: Subject,
) -> None:
    nobody = UUID("00000000-0000-4000-8000-00000000dead")
    assert await subject.adapter.get_billing_account(nobody) is None


async def test_a_known_customer_without_a_price_has_an_account_without_a_fee(
    subject: Subject,
) -> None:
    for customer in subject.some(is_without_a_price):
        assert (await account_of(subject, customer)).monthly_fee is None


async def test_the_fee_is_right_to_the_penny(subject: Subject) -> None:
    for customer in subject.some(is_priced, 12):
        assert exact((await account_of(subject, customer)).monthly_fee) == customer.fee


async def test_a_yearly_charge_shows_as_its_share_of_a_month(subject: Subject) -> None:
    for customer in subject.some(lambda one: one.yearly):
        assert exact((await account_of(subject, customer)).monthly_fee) == customer.fee


async def test_the_fee_of_two_products_is_their_sum(subject: Subject) -> None:
    for customer in subject.some(lambda one: one.products == 2):
        assert exact((await account_of(subject, customer)).monthly_fee) == customer.fee


async def test_the_plan_is_the_product_with_the_largest_fee(subject: Subject) -> None:
    named = subject.some(lambda one: one.plan_name is not None and one.products == 1)
    doubles = subject.some(lambda one: one.plan_name is not None and one.products == 2)
    for customer in named + doubles:
        assert (await account_of(subject, customer)).plan_name == customer.plan_name


async def test_the_currency_is_an_iso_4217_code(subject: Subject) -> None:
    for customer in subject.some(is_priced) + subject.some(is_without_a_price):
        assert (await account_of(subject, customer)).currency == "GBP"


async def test_the_account_id_is_the_same_each_time(subject: Subject) -> None:
    customer = subject.some(is_priced)[0]
    first, second = await account_of(subject, customer), await account_of(subject, customer)
    assert first.account_id == second.account_id


async def test_two_customers_do_not_share_an_account(subject: Subject) -> None:
    accounts = [
        (await account_of(subject, customer)).account_id for customer in subject.some(is_priced, 5)
    ]
    given = [account for account in accounts if account is not None]
    assert len(set(given)) == len(given)
