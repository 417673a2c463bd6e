"""The local adapter on a real PostgreSQL and on SQLite."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.call import Call
from adapters.database import EngineReader, open_engine
from adapters.identity import SameId
from adapters.local_adapter import LocalBSSAdapter
from adapters.lookup import collect
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from adapters.ports import Ports
from tests.servers.hung import hung_server
from tests.servers.patience import in_time, patiently
from tests.servers.pedkai import PedkaiDatabase, account, customer, on_sqlite, plan

TENANT = "acme_mobile"
RIVAL = "rival_telecom"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def opened(url: str, pool: int = 5) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, pool=pool, connect_timeout_s=1.0)
    try:
        yield engine
    finally:
        await engine.dispose()


def local_on(engine: AsyncEngine, tenant: str = TENANT, currency: str = "GBP") -> LocalBSSAdapter:
    ports = Ports(
        tenant=tenant,
        connection="db",
        reporting_currency=currency,
        identity=SameId(),
        database=EngineReader(engine),
        database_currency=currency,
    )
    return LocalBSSAdapter(ports)


@asynccontextmanager
async def local(database: PedkaiDatabase, **options: str) -> AsyncIterator[LocalBSSAdapter]:
    async with opened(database.url) as engine:
        yield local_on(engine, **options)


def soon(budget_s: float = 10.0) -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)


async def billing(adapter: LocalBSSAdapter, *ids: UUID) -> list[Lookup[Billing]]:
    return list((await collect(adapter.look_up_billing, ids, soon())).values())


async def disputes(adapter: LocalBSSAdapter, *ids: UUID) -> list[Lookup[Dispute]]:
    return list((await collect(adapter.look_up_disputes, ids, soon())).values())


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The SQL that is sent while the context lives."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        sent.append(sql)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_customer_shows_its_account_its_plan_and_its_fee(pedkai: PedkaiDatabase) -> None:
    gold = plan(TENANT, 29.99, "Gold 5G")
    ann = customer(TENANT)
    held = account(ann, gold)
    await pedkai.fill(ann, gold, held)
    async with local(pedkai) as adapter:
        assert await billing(adapter, ann.id) == [
            Found(Billing(held.id, "Gold 5G", Decimal("29.99"), "GBP"))
        ]


async def test_several_accounts_add_up_and_the_largest_names_plan_and_account(
    pedkai: PedkaiDatabase,
) -> None:
    small, large = plan(TENANT, 10.1, "SIM only"), plan(TENANT, 20.2, "Unlimited")
    ann = customer(TENANT)
    lesser, greater, unplanned = account(ann, small), account(ann, large), account(ann)
    await pedkai.fill(ann, small, large, lesser, greater, unplanned)
    async with local(pedkai) as adapter:
        assert await billing(adapter, ann.id) == [
            Found(Billing(greater.id, "Unlimited", Decimal("30.30"), "GBP"))
        ]


async def test_a_customer_without_account_or_plan_is_found_without_a_fee(
    pedkai: PedkaiDatabase,
) -> None:
    bare, unplanned = customer(TENANT), customer(TENANT)
    held = account(unplanned)
    await pedkai.fill(bare, unplanned, held)
    async with local(pedkai) as adapter:
        assert await billing(adapter, bare.id, unplanned.id) == [
            Found(Billing(currency="GBP")),
            Found(Billing(account_id=held.id, currency="GBP")),
        ]


async def test_a_customer_who_is_not_in_the_table_is_missing(pedkai: PedkaiDatabase) -> None:
    async with local(pedkai) as adapter:
        stranger = uuid4()
        assert await billing(adapter, stranger) == [Missing()]
        assert await disputes(adapter, stranger) == [Missing()]
        assert await adapter.get_billing_account(stranger) is None


async def test_another_tenants_customer_is_missing(pedkai: PedkaiDatabase) -> None:
    theirs, gold = customer(RIVAL), plan(RIVAL, 50.0)
    await pedkai.fill(theirs, gold, account(theirs, gold, last_billing_dispute=_days_ago(1)))
    async with local(pedkai) as adapter:
        assert await billing(adapter, theirs.id) == [Missing()]
        assert await disputes(adapter, theirs.id) == [Missing()]


async def test_another_tenants_account_of_our_customer_counts_for_nothing(
    pedkai: PedkaiDatabase,
) -> None:
    ann, gold = customer(TENANT), plan(TENANT, 50.0)
    strayed = account(ann, gold, tenant_id=RIVAL, last_billing_dispute=_days_ago(1))
    await pedkai.fill(ann, gold, strayed)
    async with local(pedkai) as adapter:
        assert await billing(adapter, ann.id) == [Found(Billing(currency="GBP"))]
        assert await disputes(adapter, ann.id) == [Found(Dispute(active=False))]


async def test_another_tenants_plan_is_never_read_and_leaves_the_customer_unpriced(
    pedkai: PedkaiDatabase,
) -> None:
    ann = customer(TENANT)
    ours, theirs = plan(TENANT, 10.0, "Ours"), plan(RIVAL, 99.0, "Theirs")
    held, strayed = account(ann, ours), account(ann, theirs)
    await pedkai.fill(ann, ours, theirs, held, strayed)
    async with local(pedkai) as adapter:
        assert await billing(adapter, ann.id) == [
            Found(Billing(account_id=held.id, plan_name="Ours", currency="GBP"))
        ]


async def test_an_average_revenue_is_no_price(pedkai: PedkaiDatabase) -> None:
    ann = customer(TENANT)
    await pedkai.fill(ann, account(ann, avg_monthly_revenue=44.0))
    async with local(pedkai) as adapter:
        result = await adapter.get_revenue_at_risk([ann.id])
    assert (result.total_revenue_at_risk, result.unpriced_customer_count) == (None, 1)
    assert result.requires_manual_valuation


async def test_a_question_is_one_statement_that_only_reads_and_never_an_average(
    pedkai: PedkaiDatabase,
) -> None:
    async with opened(pedkai.url) as engine:
        adapter = local_on(engine)
        await billing(adapter, uuid4())  # the first connection asks what server it is on
        with statements(engine) as sent:
            await billing(adapter, *(uuid4() for _ in range(200)))
            await disputes(adapter, *(uuid4() for _ in range(200)))
    assert len(sent) == 2
    assert all(sql.startswith("SELECT") for sql in sent)
    assert "avg_monthly_revenue" not in "".join(sent)


@pytest.mark.parametrize("size", [200, 5_000])
async def test_a_batch_of_any_size_is_one_statement_and_exact(
    pedkai: PedkaiDatabase, size: int
) -> None:
    gold = plan(TENANT, 0.1)
    people = [customer(TENANT) for _ in range(size)]
    await pedkai.fill(gold, *people, *(account(one, gold) for one in people))
    async with opened(pedkai.url) as engine:
        adapter = local_on(engine)
        await billing(adapter, uuid4())
        with statements(engine) as sent:
            lookups = await billing(adapter, *(one.id for one in people))
        result = await adapter.get_revenue_at_risk([one.id for one in people[:200]])
    assert len(sent) == 1
    assert {one.value.monthly_fee for one in lookups if isinstance(one, Found)} == {Decimal("0.10")}
    assert len(lookups) == size
    assert result.total_revenue_at_risk == 20.0
    assert (result.source, result.is_estimate) == ("bss_local", False)


async def test_one_odd_fee_costs_one_customer_and_not_the_batch(pedkai: PedkaiDatabase) -> None:
    people = [customer(TENANT) for _ in range(4)]
    fees = [float("inf"), -1.0, 1e300, 12.5]
    plans = [plan(TENANT, fee) for fee in fees]
    held = [account(one, on) for one, on in zip(people, plans, strict=True)]
    await pedkai.fill(*people, *plans, *held)
    async with local(pedkai) as adapter:
        result = await adapter.get_revenue_at_risk([one.id for one in people])
    assert result.total_revenue_at_risk == 12.5
    assert (result.priced_customer_count, result.unpriced_customer_count) == (1, 3)


async def test_the_currency_is_the_settings(pedkai: PedkaiDatabase) -> None:
    ann, gold = customer(TENANT), plan(TENANT, 1500.4)
    await pedkai.fill(ann, gold, account(ann, gold))
    async with local(pedkai, currency="JPY") as adapter:
        info = await adapter.get_billing_account(ann.id)
    assert info is not None
    assert (info.monthly_fee, info.currency) == (1500.0, "JPY")


def _days_ago(days: float) -> datetime:
    """As Pedkai writes it: in UTC, without a zone."""
    return (NOW - timedelta(days=days)).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (0.01, Found(Dispute(active=True))),
        (30, Found(Dispute(active=True))),
        (30.01, Found(Dispute(active=False))),
        (-0.9, Found(Dispute(active=True))),
        (-400, Unavailable(Reason.BAD_RESPONSE)),
    ],
)
async def test_a_dispute_is_active_for_thirty_days(
    pedkai: PedkaiDatabase, days: float, found: Lookup[Dispute]
) -> None:
    ann = customer(TENANT)
    await pedkai.fill(ann, account(ann), account(ann, last_billing_dispute=_days_ago(days)))
    async with local(pedkai) as adapter:
        assert await disputes(adapter, ann.id) == [found]


async def test_customers_with_a_dispute_come_in_the_order_asked(pedkai: PedkaiDatabase) -> None:
    people = [customer(TENANT) for _ in range(6)]
    held = [
        account(one, last_billing_dispute=_days_ago(3) if number % 2 else None)
        for number, one in enumerate(people)
    ]
    await pedkai.fill(*people, *held)
    async with local(pedkai) as adapter:
        adapter.clock = lambda: NOW
        asked = [one.id for one in reversed(people)]
        assert await adapter.check_disputes(asked) == asked[::2]


async def test_uuids_of_32_digits_are_found_as_well(tmp_path: Path) -> None:
    database = on_sqlite(tmp_path / "pedkai.db", write_uuid=lambda one: one.hex)
    ann, gold = customer(TENANT), plan(TENANT, 5.0, "Basic")
    held = account(ann, gold, last_billing_dispute=_days_ago(2))
    await database.fill(ann, gold, held)
    async with local(database) as adapter:
        assert await billing(adapter, ann.id) == [
            Found(Billing(held.id, "Basic", Decimal("5.00"), "GBP"))
        ]
        assert await disputes(adapter, ann.id) == [Found(Dispute(active=True))]


async def test_a_dispute_that_is_no_date_leaves_that_customer_open(tmp_path: Path) -> None:
    database = on_sqlite(tmp_path / "pedkai.db")
    odd, fine = customer(TENANT), customer(TENANT)
    await database.fill(odd, fine, account(odd, last_billing_dispute="soon"), account(fine))
    async with local(database) as adapter:
        assert await disputes(adapter, odd.id, fine.id) == [
            Unavailable(Reason.BAD_RESPONSE),
            Found(Dispute(active=False)),
        ]


async def test_nothing_can_be_written_through_the_engine(pedkai: PedkaiDatabase) -> None:
    async with opened(pedkai.url) as engine, engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"read-only|readonly"):
            await connection.execute(text("DELETE FROM customers"))


@pytest.mark.parametrize("budget_s", [0.1, 5.0])
@patiently
async def test_a_database_that_never_answers_degrades_the_whole_batch_in_time(
    budget_s: float,
) -> None:
    ids = [uuid4() for _ in range(200)]
    async with hung_server() as port:
        engine = open_engine(f"postgresql://u@127.0.0.1:{port}/x", pool=1, connect_timeout_s=0.3)
        begun = asyncio.get_running_loop().time()
        lookups = await collect(local_on(engine).look_up_billing, ids, soon(budget_s))
        took_s = asyncio.get_running_loop().time() - begun
        await engine.dispose()
    reason = Reason.DEADLINE if budget_s < 0.3 else Reason.UNREACHABLE
    assert lookups == dict.fromkeys(ids, Unavailable(reason))
    in_time(took_s, min(budget_s, 0.3) + 0.25)


async def test_with_the_database_down_there_is_no_total_and_no_dispute_is_denied() -> None:
    async with opened("postgresql://u@127.0.0.1:1/x") as engine:
        adapter = local_on(engine)
        result = await adapter.get_revenue_at_risk([uuid4(), uuid4()])
        with pytest.raises(LookupFailed, match="unreachable"):
            await adapter.check_disputes([uuid4()])
        with pytest.raises(LookupFailed, match="unreachable"):
            await adapter.get_billing_account(uuid4())
    assert result.total_revenue_at_risk is None
    assert (result.is_estimate, result.requires_manual_valuation) == (True, True)


async def test_many_questions_share_a_small_pool_and_give_everything_back(
    pedkai: PedkaiDatabase,
) -> None:
    ann, gold = customer(TENANT), plan(TENANT, 3.0)
    await pedkai.fill(ann, gold, account(ann, gold))
    async with opened(pedkai.url, pool=2) as engine:
        adapter = local_on(engine)
        questions = (adapter.get_revenue_at_risk([ann.id]) for _ in range(40))
        assert {one.total_revenue_at_risk for one in await asyncio.gather(*questions)} == {3.0}
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_nothing_of_a_customer_is_logged_or_shown(
    pedkai: PedkaiDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ann, gold = customer(TENANT), plan(TENANT, 7713.37, "canary plan")
    held = account(ann, gold)
    await pedkai.fill(ann, gold, held)
    async with local(pedkai) as adapter:
        lookups = await billing(adapter, ann.id)
        info = await adapter.get_billing_account(ann.id)
        shown = f"{caplog.text} {lookups!r} {info!r} {adapter!r}"
    assert info is not None
    assert info.monthly_fee == 7713.37
    for canary in ("7713", "canary", str(ann.id), ann.id.hex, str(held.id), held.id.hex):
        assert canary not in shown
