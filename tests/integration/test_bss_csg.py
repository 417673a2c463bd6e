"""The CSG adapter over real mutual TLS."""

from pathlib import Path

import pytest

from adapters.outcome import Found, Missing, Reason, Unavailable
from adapters.simulator import faults
from tests.integration.asking import assert_honest, assert_right, billing, books
from tests.integration.vendor_suite import VendorSuite
from tests.servers.vendors import Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITH_TWO_ACCOUNTS = (1, 6, 11, 16, 21, 26)


class TestCsg(VendorSuite):
    shape = "csg"
    existence = (("customer_by_id", "customer"), ("accounts", "account"))

    async def test_the_products_of_every_account_are_counted(self, plain: Line) -> None:
        plain.vendor.traffic.forget()
        assert_right(await billing(plain, WITH_TWO_ACCOUNTS), books(self.shape))
        accounts = {
            (query["relatedParty.id"], account)
            for query in self.product_queries(plain)
            for account in query["billingAccount.id"].split(",")
        }
        assert len(accounts) == 2 * len(WITH_TWO_ACCOUNTS)
        assert all(len(account) == 16 for _, account in accounts)

    async def test_a_product_query_carries_party_account_and_status_together(
        self, plain: Line
    ) -> None:
        plain.vendor.traffic.forget()
        await billing(plain, (0, 6))
        queries = self.product_queries(plain)
        assert queries
        for query in queries:
            assert {"relatedParty.id", "billingAccount.id", "status"} <= set(query)

    async def test_a_facade_that_is_asked_without_a_status_refuses_and_nobody_is_missing(
        self, folder: Path
    ) -> None:
        async with self.line(folder, tmf={"status_filter": ""}) as made:
            answers = await billing(made, (0, 6))
        assert set(answers.values()) == {Unavailable(Reason.VENDOR_ERROR)}

    async def test_a_fault_in_a_200_costs_only_those_who_met_it(self, plain: Line) -> None:
        await plain.vendor.faults.set(faults.FaultIn200(times=5))
        try:
            answers = await billing(plain, range(30))
        finally:
            await plain.vendor.faults.clear()
        assert_honest(answers, books(self.shape))
        assert Unavailable(Reason.VENDOR_ERROR) in answers.values()

    async def test_a_customer_with_accounts_and_no_products_is_known(self, plain: Line) -> None:
        answers = await billing(plain, (8, 9))
        assert isinstance(answers[8], Found)
        assert answers[8].value.monthly_fee is None
        assert answers[9] == Missing()

    @staticmethod
    def product_queries(plain: Line) -> list[dict[str, str]]:
        seen = plain.vendor.traffic.requests
        return [dict(one.query) for one in seen if one.kind == "product"]
