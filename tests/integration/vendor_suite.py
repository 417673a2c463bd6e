"""What holds for every vendor reached over HTTP; each `test_bss_<vendor>.py` runs it.

Figures are compared with what `tests.servers.accounting` makes of the vendor's raw rows.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from adapters.outcome import Dispute, Found, Lookup, Missing, Reason, Unavailable
from adapters.simulator import faults
from adapters.simulator.population import Shape, customer_id
from adapters.simulator.shapes import MANNERS, OrStyle, Version
from adapters.tmf.accounts import account_uuid
from tests.integration.asking import (
    BROKEN,
    BUDGET_S,
    ONE_OF_EACH,
    assert_honest,
    assert_right,
    billing,
    books,
    disputes,
)
from tests.servers.accounting import Row, fee, word
from tests.servers.vendors import NOW, PATIENT, Line, Setup, line, vendor_data

VERSIONS: tuple[Version, ...] = ("v4", "v5")
WITHOUT_VENDOR_ID = 99
HASTY_S = 0.35
"""For a vendor that never answers."""
EVERYBODY = 3_000
"""More rows than any list of the demonstration has."""


def disputing(answers: Mapping[int, Lookup[Dispute]]) -> set[int]:
    return {n for n, one in answers.items() if isinstance(one, Found) and one.value.active}


def balance_kind(balance: Row) -> str:
    return word(balance.get("balanceType") or balance.get("type"))


class VendorSuite:
    shape: ClassVar[Shape]
    existence: ClassVar[tuple[tuple[str, str], ...]]
    """Ways of asking whether a customer exists that suit the vendor's ids, and the APIs asked."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp(cls.shape)

    @pytest_asyncio.fixture(scope="class", loop_scope="module")
    @classmethod
    async def plain(cls, folder: Path) -> AsyncIterator[Line]:
        """The vendor as it is, and a connection with the adapter's own defaults."""
        async with cls.line(folder) as made:
            assert_right(await billing(made, [0]), books(cls.shape))
            yield made

    @classmethod
    def line(cls, folder: Path, **setup: Any) -> AbstractAsyncContextManager[Line]:
        return line(Setup(**{"shape": cls.shape, "wire": PATIENT, **setup}), folder)

    # ---- figures ---------------------------------------------------------------------------------

    @pytest.mark.parametrize("version", VERSIONS)
    async def test_200_customers_are_what_the_vendors_rows_say(
        self, folder: Path, version: Version
    ) -> None:
        async with self.line(folder, version=version) as made:
            assert_right(await billing(made, range(200)), books(self.shape, version))

    async def test_a_batch_adds_up_to_what_the_vendors_rows_add_up_to(self, plain: Line) -> None:
        numbers = range(200, 300)
        asked = [customer_id(f"{self.shape}_demo", number) for number in numbers]
        true = books(self.shape)
        for _ in range(3):  # a machine that is busy elsewhere can make an answer late
            result = await plain.adapter.get_revenue_at_risk(asked)
            if not result.is_estimate:
                break
        assert Decimal(repr(result.total_revenue_at_risk)) == true.total(numbers)
        priced = sum(true.fee(number) is not None for number in numbers)
        assert (result.priced_customer_count, result.unpriced_customer_count) == (
            priced,
            100 - priced,
        )

    @pytest.mark.parametrize("version", VERSIONS)
    async def test_disputes_are_those_of_the_vendors_tickets(
        self, folder: Path, version: Version
    ) -> None:
        true = books(self.shape, version)
        async with self.line(folder, version=version) as made:
            answers = await disputes(made, range(5, 400, 10))
        assert disputing(answers) == {number for number in answers if number in true.disputing}
        assert len(disputing(answers)) == 8
        assert not [one for one in answers.values() if isinstance(one, Unavailable)]

    @pytest.mark.parametrize("version", VERSIONS)
    async def test_weaker_signs_of_a_dispute_count_once_they_are_switched_on(
        self, folder: Path, version: Version
    ) -> None:
        data = vendor_data(self.shape, version)
        signs = {
            "bill_on_hold": {
                int(bill["id"].split("-")[1])
                for bill in data.rows("customerBill")
                if word(bill["state"]) == "onhold"
                and NOW - datetime.fromisoformat(bill["billDate"]) <= timedelta(days=30)
            },
            "disputed_balance": {
                int(account["name"].split()[-1])
                for account in data.rows("billingAccount")
                if "disputed balance" in map(balance_kind, account["accountBalance"])
            },
        }
        for source, expected in signs.items():
            tmf = {"dispute_sources": [source]}
            async with self.line(folder, version=version, tmf=tmf) as made:
                named = disputing(await disputes(made, range(5, 200, 10)))
            assert named == {number for number in range(5, 200, 10) if number in expected}

    async def test_the_account_is_the_one_that_carries_the_largest_part(self, plain: Line) -> None:
        for number, lookup in (await billing(plain, (0, 1, 6, 26, 46))).items():
            assert isinstance(lookup, Found)
            products = books(self.shape).products[number]
            largest = max(products, key=lambda product: fee([product]) or Decimal(-1))
            account = largest["billingAccount"]["id"]
            assert lookup.value.account_id == account_uuid(self.shape, account)

    # ---- lists -----------------------------------------------------------------------------------

    @pytest.mark.parametrize("past_the_end", ["416", "empty"])
    @pytest.mark.parametrize(
        ("next_link", "partial_status"),
        [("absolute", 206), ("relative", 200), ("none", 200), ("none", 206)],
    )
    async def test_pages_of_one_row_are_read_to_the_last(
        self, folder: Path, next_link: Any, partial_status: Any, past_the_end: Any
    ) -> None:
        manners = replace(
            MANNERS[self.shape],
            page_size=1,
            page_size_limit=1,
            next_link=next_link,
            partial_status=partial_status,
            past_the_end=past_the_end,
        )
        async with self.line(folder, manners=manners, tmf={"page_size": 1}) as made:
            numbers = (0, 4, 6, 7, 14, 16, 56, 9)
            assert_right(await billing(made, numbers), books(self.shape))

    async def test_a_vendor_that_cuts_pages_short_loses_no_row(self, folder: Path) -> None:
        manners = replace(MANNERS[self.shape], page_size_limit=1)
        async with self.line(folder, manners=manners) as made:
            assert_right(await billing(made, (0, 4, 6, 7, 16, 56)), books(self.shape))

    @pytest.mark.parametrize("style", ["repeat", "comma", "semicolon"])
    async def test_each_style_of_batches_gives_the_same_figures_with_fewer_requests(
        self, folder: Path, style: OrStyle
    ) -> None:
        manners = replace(MANNERS[self.shape], or_style=style)
        tmf = {"batch_style": style, "batch_size": 25, **self.statuses(style)}
        async with self.line(folder, manners=manners, tmf=tmf) as made:
            assert_right(await billing(made, range(100)), books(self.shape))
            assert made.vendor.traffic.counts["product"] <= 40
            assert disputing(await disputes(made, range(100))) == {5, 55}

    @classmethod
    def statuses(cls, style: OrStyle) -> Mapping[str, object]:
        """How several statuses are asked of a vendor that takes several values in this style."""
        return {"status_style": "each" if style == "single" else style}

    @pytest.mark.parametrize("style", ["repeat", "comma", "semicolon"])
    async def test_a_batch_that_the_vendor_misunderstands_gives_no_wrong_figure(
        self, folder: Path, style: OrStyle
    ) -> None:
        """A vendor that takes one value finds nothing for several, or only the first one's rows."""
        manners = replace(MANNERS[self.shape], or_style="single")
        tmf = {"batch_style": style, "batch_size": 5, **self.statuses("single")}
        async with self.line(folder, manners=manners, tmf=tmf) as made:
            answers = await billing(made, range(20))
        true = books(self.shape)
        for number, lookup in answers.items():
            assert lookup == Missing() or number in true.known
            if isinstance(lookup, Found):
                assert lookup.value.monthly_fee in (true.fee(number), None)

    async def test_a_filter_that_is_ignored_gives_nobody_the_rows_of_others(
        self, folder: Path
    ) -> None:
        manners = replace(MANNERS[self.shape], page_size_limit=EVERYBODY)
        tmf = {"page_size": EVERYBODY, "page_limit": 1}
        async with self.line(folder, manners=manners, tmf=tmf) as made:
            await made.vendor.faults.set(faults.IgnoredFilter())
            answers = await billing(made, (3, 6, 12, 9))
        assert_honest(answers, books(self.shape))
        assert all(isinstance(answers[number], Found) for number in (3, 6, 12))

    async def test_a_filter_that_is_ignored_page_by_page_makes_nobody_missing(
        self, plain: Line
    ) -> None:
        await plain.vendor.faults.set(faults.IgnoredFilter())
        try:
            alone = {number: (await billing(plain, (number,)))[number] for number in (3, 6, 8, 9)}
            together = await billing(plain, (3, 6, 8, 9))
        finally:
            await plain.vendor.faults.clear()
        assert set(alone.values()) == set(together.values()) == {Unavailable(Reason.BAD_RESPONSE)}

    async def test_a_page_that_comes_for_ever_gives_no_figure(self, plain: Line) -> None:
        await plain.vendor.faults.set(faults.SamePageForEver())
        try:
            answers = await billing(plain, (0, 6, 9))
        finally:
            await plain.vendor.faults.clear()
        assert_honest(answers, books(self.shape))
        assert isinstance(answers[0], Unavailable)
        assert isinstance(answers[6], Unavailable)

    # ---- who is known ----------------------------------------------------------------------------

    async def test_each_way_of_asking_tells_the_unknown_from_those_without_products(
        self, folder: Path
    ) -> None:
        for kind, _api in self.existence:
            async with self.line(folder, tmf={"existence": kind}) as made:
                answers = await billing(made, (8, 9, 19, 48, 88))
            assert_right(answers, books(self.shape))

    async def test_nobody_is_missing_because_a_path_is_wrong(self, folder: Path) -> None:
        for kind, api in self.existence:
            elsewhere = {api: "/nowhere/"}
            async with self.line(folder, tmf={"existence": kind}, apis=elsewhere) as made:
                answers = await billing(made, (8, 9, 19))
            assert not [one for one in answers.values() if isinstance(one, Missing)]

    async def test_without_the_question_who_has_an_id_is_found_without_a_price(
        self, folder: Path
    ) -> None:
        async with self.line(folder, tmf={"existence": "none"}) as made:
            answers = await billing(made, (0, 9, WITHOUT_VENDOR_ID))
        assert isinstance(answers[9], Found)
        assert answers[9].value.monthly_fee is None
        assert answers[WITHOUT_VENDOR_ID] == Missing()

    # ---- faults ----------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", BROKEN)
    async def test_a_vendor_that_fails_leaves_every_customer_unavailable_and_none_missing(
        self, plain: Line, name: str
    ) -> None:
        fault, reasons = BROKEN[name]
        budget_s = HASTY_S if Reason.DEADLINE in reasons else BUDGET_S
        await plain.vendor.faults.set(fault)
        try:
            answers = await billing(plain, ONE_OF_EACH, budget_s=budget_s)
            tickets = await disputes(plain, (0, 5, 9), budget_s=budget_s)
        finally:
            await plain.vendor.faults.clear()
        assert answers[WITHOUT_VENDOR_ID] == Missing()
        asked = [one for number, one in answers.items() if number != WITHOUT_VENDOR_ID]
        for lookup in (*asked, *tickets.values()):
            assert isinstance(lookup, Unavailable)
            assert lookup.reason in reasons
        assert_right(await billing(plain, (0, 6, 9)), books(self.shape))

    async def test_the_time_that_a_vendor_asks_for_is_handed_on(self, plain: Line) -> None:
        await plain.vendor.faults.set(faults.TooMany(retry_after="7"))
        try:
            answers = await billing(plain, (0,))
        finally:
            await plain.vendor.faults.clear()
        assert answers[0] == Unavailable(Reason.RATE_LIMITED, 7.0)

    @pytest.mark.parametrize(
        "fault", [faults.Status(times=6), faults.Reset(times=6), faults.Garbage(times=6)]
    )
    async def test_a_vendor_that_fails_now_and_then_costs_only_those_it_failed_for(
        self, plain: Line, fault: faults.Fault
    ) -> None:
        await plain.vendor.faults.set(fault)
        try:
            answers = await billing(plain, ONE_OF_EACH)
        finally:
            await plain.vendor.faults.clear()
        assert_honest(answers, books(self.shape))
        kinds = Counter(type(one) for one in answers.values())
        assert 1 <= kinds[Unavailable] <= 6
        assert kinds[Found] >= len(ONE_OF_EACH) - 12

    async def test_a_slow_vendor_is_waited_for(self, plain: Line) -> None:
        await plain.vendor.faults.set(faults.Latency(delay_s=0.02))
        try:
            assert_right(await billing(plain, ONE_OF_EACH), books(self.shape))
        finally:
            await plain.vendor.faults.clear()

    @pytest.mark.parametrize(
        "fault",
        [faults.Status(where="token"), faults.Garbage(where="token"), faults.Hang(where="token")],
        ids=["HTTP 503", "garbage", "never answers"],
    )
    async def test_without_a_token_everybody_is_unavailable(
        self, folder: Path, fault: faults.Fault
    ) -> None:
        async with self.line(folder) as made:
            await made.vendor.faults.set(fault)
            answers = await billing(made, (0, 5, 9), budget_s=HASTY_S)
            assert made.vendor.traffic.counts["product"] == 0
        reasons = {one.reason for one in answers.values() if isinstance(one, Unavailable)}
        assert len(reasons) == 1
        assert reasons <= {Reason.AUTH, Reason.DEADLINE}
        assert not [one for one in answers.values() if isinstance(one, Found | Missing)]

    async def test_a_vendor_that_refuses_every_token_is_asked_for_few(self, folder: Path) -> None:
        async with self.line(folder) as made:
            await made.vendor.faults.set(faults.Status(status=401))
            answers = await billing(made, (0, 5, 6, 8, 9))
            assert made.vendor.traffic.counts["token"] <= 2
        assert set(answers.values()) == {Unavailable(Reason.AUTH)}

    async def test_the_vendor_never_sees_more_exchanges_at_once_than_configured(
        self, folder: Path
    ) -> None:
        async with self.line(folder, wire={**PATIENT, "concurrency": 4}) as made:
            await made.vendor.faults.set(faults.Latency(delay_s=0.005))
            assert_right(await billing(made, range(30)), books(self.shape))
            assert made.vendor.traffic.most_in_flight == 4
