"""The Cerillion adapter over real mutual TLS."""

from pathlib import Path

import pytest

from adapters.outcome import Found
from tests.integration.asking import assert_right, billing, books, disputes
from tests.integration.vendor_suite import VendorSuite
from tests.servers.vendors import Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHOUT_PRICES = (2, 12, 22, 32)
"""Their products carry no price, and what they were billed says what they pay."""


class TestCerillion(VendorSuite):
    shape = "cerillion"
    existence = (("accounts", "account"),)

    async def test_where_products_carry_no_price_the_fee_is_what_was_billed_last(
        self, plain: Line
    ) -> None:
        plain.vendor.traffic.forget()
        answers = await billing(plain, (*WITHOUT_PRICES, 0, 6))
        assert_right(answers, books(self.shape))
        fees = [books(self.shape).fee(number) for number in WITHOUT_PRICES]
        assert None not in fees
        asked = plain.vendor.traffic.counts["appliedCustomerBillingRate"]
        assert asked == len(WITHOUT_PRICES)

    async def test_without_that_fallback_they_have_no_fee(self, folder: Path) -> None:
        async with self.line(folder, tmf={"fee_fallback": "none"}) as made:
            answers = await billing(made, (*WITHOUT_PRICES, 0))
            assert made.vendor.traffic.counts["appliedCustomerBillingRate"] == 0
        for number in WITHOUT_PRICES:
            lookup = answers[number]
            assert isinstance(lookup, Found)
            assert lookup.value.monthly_fee is None
        assert_right({0: answers[0]}, books(self.shape))

    async def test_products_are_asked_for_by_account_and_in_the_vendors_own_codes(
        self, plain: Line
    ) -> None:
        plain.vendor.traffic.forget()
        await billing(plain, (0,))
        (asked,) = plain.vendor.traffic.requests
        assert asked.path == "/apiman-gateway/ORG/product/1.0/product"
        assert dict(asked.query)["billingAccount.id"] == "20000000"
        assert dict(asked.query)["subStatus"] == "CU,FA,TA,RP,TP"

    async def test_tickets_are_asked_for_by_the_account_among_their_entities(
        self, plain: Line
    ) -> None:
        plain.vendor.traffic.forget()
        await disputes(plain, (5,))
        (asked,) = plain.vendor.traffic.requests
        assert dict(asked.query)["relatedEntity.billingAccount.id"] == "20000005"
