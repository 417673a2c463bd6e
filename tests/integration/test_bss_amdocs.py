"""The Amdocs adapter over real mutual TLS."""

from pathlib import Path

import pytest

from adapters.outcome import Missing, Reason, Unavailable
from tests.integration.asking import assert_right, billing, books
from tests.integration.vendor_suite import VendorSuite
from tests.servers.vendors import Line, vendor_data

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestAmdocs(VendorSuite):
    shape = "amdocs"
    existence = (("customer_by_party", "customer"), ("accounts", "account"))

    async def test_customers_are_asked_for_by_the_id_of_the_individual(self, plain: Line) -> None:
        plain.vendor.traffic.forget()
        await billing(plain, (0, 6))
        asked = {dict(one.query)["relatedParty.id"] for one in plain.vendor.traffic.requests}
        assert asked == {"IND-000000", "IND-000006"}

    async def test_a_reseller_is_not_charged_for_what_it_sells_to_others(self, plain: Line) -> None:
        """The vendor's own filter finds the products of 13 for 12, who is named in them too."""
        found = {row["id"] for row in vendor_data(self.shape).rows_of("product", 12)}
        assert {"PRD-000012-0", "PRD-000013-0"} <= found
        assert_right(await billing(plain, (12, 13, 112, 113)), books(self.shape))

    async def test_a_charge_to_another_account_is_still_the_customers(self, plain: Line) -> None:
        rows = books(self.shape).products[16]
        assert any("billingAccount" in price for row in rows for price in row["productPrice"])
        assert_right(await billing(plain, (16, 36)), books(self.shape))

    @pytest.mark.parametrize(
        ("error_keys", "answer"),
        [(["message"], Missing()), ([], Unavailable(Reason.BAD_RESPONSE))],
        ids=["is this vendor's error", "is nothing known"],
    )
    async def test_a_404_by_id_means_missing_only_where_its_body_is_known_to(
        self, folder: Path, error_keys: list[str], answer: Missing | Unavailable
    ) -> None:
        tmf = {"existence": "customer_by_id", "error_keys": error_keys}
        async with self.line(folder, tmf=tmf) as made:
            assert (await billing(made, (9,)))[9] == answer
