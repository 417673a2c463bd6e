"""Nothing personal and no secret shows in what a debugger, a traceback or a library's log shows."""

import asyncio
import gc
import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.call import Call
from adapters.exchange import Api, Exchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed
from adapters.simulator import faults
from adapters.simulator.population import SHAPES, Shape, customer_id
from config import settings
from proxy.connection import VendorConnection
from proxy.lifecycle import Tasks
from proxy.telemetry.log import LibraryHandler, Log
from tests.integration.asking import billing, disputes
from tests.integration.spilling import EVERY_FAULT, NO_HTTP
from tests.servers.canaries import MARK, Canaries, kept_secret, marked_ids
from tests.servers.rude import RudeVendor
from tests.servers.secretive import BROKEN, ENVIRONMENT, canaries_of, secretive
from tests.servers.sidecar import Stage, within
from tests.servers.vendors import NOW, Line, Setup, line

OURS = ("adapters.", "config.", "proxy.")
NUMBERS = (0, 5, 6, 7, 8, 9)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Overheard(Exchange):
    """Remembers what went through an exchange, and what was raised."""

    def __init__(self, inner: Exchange) -> None:
        self._inner = inner
        self.passed: list[VendorRequest | VendorReply] = []
        self.failures: list[LookupFailed] = []

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        self.passed.append(request)
        try:
            reply = await self._inner.send(request, call)
        except LookupFailed as failure:
            self.failures.append(failure)
            raise
        self.passed.append(reply)
        return reply

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return self._inner.within(request, link)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage_and_rude(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Stage, RudeVendor]]:
    async with secretive(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture(scope="module")
def stage(stage_and_rude: tuple[Stage, RudeVendor]) -> Stage:
    return stage_and_rude[0]


@pytest.fixture(scope="module")
def rude(stage_and_rude: tuple[Stage, RudeVendor]) -> RudeVendor:
    return stage_and_rude[1]


@pytest.fixture(scope="module")
def canaries(stage: Stage) -> Canaries:
    return canaries_of(stage)


def ours() -> Iterator[Any]:
    """Every object alive of a class of the product, the pretend vendor's left out."""
    for one in gc.get_objects():
        module = getattr(type(one), "__module__", None)
        if isinstance(module, str) and module.startswith(OURS):
            if module.startswith("adapters.simulator"):
                continue
            yield one


def assert_shows_nothing(canaries: Canaries) -> set[str]:
    """The names of the classes whose objects were looked at."""
    seen = set()
    for one in ours():
        seen.add(type(one).__name__)
        assert canaries.found_in(f"{one!r} {one!s}") == set(), type(one)
    for task in asyncio.all_tasks():
        assert canaries.found_in(repr(task)) == set()
    return seen


async def test_no_object_that_is_alive_during_a_question_shows_what_it_holds(
    stage: Stage, canaries: Canaries
) -> None:
    async with within(stage, env=ENVIRONMENT) as running:
        tenants = [f"{name}_demo" for name in (*SHAPES, "local", *BROKEN)]
        ids = {tenant: [customer_id(tenant, n) for n in NUMBERS] for tenant in tenants}
        for tenant in tenants:
            canaries.add_answer((await running.data.revenue(tenant, ids[tenant])).body)
        for vendor in running.vendors.values():
            await vendor.faults.set(faults.Hang())
        try:
            async with asyncio.TaskGroup() as tasks:
                for shape in SHAPES:
                    tasks.create_task(running.data.disputes(f"{shape}_demo", ids[f"{shape}_demo"]))
                for vendor in running.vendors.values():
                    await vendor.traffic.until(lambda one: one.in_flight >= len(NUMBERS))
                    assert vendor.tokens is not None
                    canaries.texts |= set(vendor.tokens._expiry)
                seen = assert_shows_nothing(canaries)
                for vendor in running.vendors.values():
                    await vendor.faults.clear()
        finally:
            for vendor in running.vendors.values():
                await vendor.faults.clear()
    assert seen >= {"VendorRequest", "HttpRequest", "Token", "Credentials", "Settings", "Subject"}


@pytest.mark.parametrize("shape", SHAPES)
async def test_no_request_reply_or_answer_shows_what_it_holds(
    tmp_path: Path, canaries: Canaries, shape: Shape
) -> None:
    overheard: list[Overheard] = []
    async with overheard_line(shape, tmp_path, overheard) as made:
        answers = [await billing(made, NUMBERS), await disputes(made, NUMBERS)]
        accounts = [
            await made.adapter.get_billing_account(customer_id(f"{shape}_demo", number))
            for number in NUMBERS
        ]
        for account in accounts:
            if account is not None:
                canaries.add_answer(account.model_dump_json().encode())
        seen = assert_shows_nothing(canaries)
    assert len(overheard[0].passed) >= 4 * len(NUMBERS)
    assert len(answers) + len(accounts) == 2 + len(NUMBERS)
    assert MARK in str(accounts[0].plan_name if accounts[0] else "")
    assert seen >= {"VendorRequest", "VendorReply", "Found", "Billing", "BillingAccountInfo"}


@pytest.mark.parametrize("name", EVERY_FAULT)
async def test_no_failure_shows_what_led_to_it(
    tmp_path_factory: pytest.TempPathFactory, canaries: Canaries, name: str
) -> None:
    """Not even in a whole traceback, with all its causes."""
    overheard: list[Overheard] = []
    async with overheard_line("csg", tmp_path_factory.mktemp("line"), overheard) as made:
        await made.vendor.faults.set(EVERY_FAULT[name])
        await billing(made, (0, 6, 9), budget_s=0.25)
        await disputes(made, (5, 9), budget_s=0.25)
        problem = made.connection.status()
    for failure in overheard[0].failures:
        told = "".join(traceback.format_exception(failure))
        assert canaries.found_in(f"{told} {failure!r} {failure.detail}") == set()
    assert canaries.found_in(repr(problem)) == set()
    assert overheard[0].passed


def overheard_line(
    shape: Shape, folder: Path, overheard: list[Overheard]
) -> AbstractAsyncContextManager[Line]:
    def around(inner: Exchange) -> Exchange:
        overheard.append(Overheard(inner))
        return overheard[0]

    ids = marked_ids(f"{shape}_demo", shape)
    return line(Setup(shape=shape, data=kept_secret(shape), ids=ids), folder, around)


@pytest.mark.parametrize("kind", NO_HTTP)
async def test_no_failure_quotes_a_vendor_that_speaks_no_http(
    stage: Stage, rude: RudeVendor, canaries: Canaries, kind: str
) -> None:
    tls = {
        "certificate_file": str(stage.folder / "client.pem"),
        "key_file": str(stage.folder / "client.key"),
        "trust_bundle_file": str(stage.folder / "ca.pem"),
    }
    setting = settings.Connection.model_validate(
        {"vendor": "csg", "base_url": rude.base_url, "tls": tls}
    )
    tasks = Tasks(lambda _error: None)
    connection = VendorConnection("rude", setting, {Api.CUSTOMER: rude.base_url}, spawn=tasks.spawn)
    rude.says = NO_HTTP[kind].encode()
    request = VendorRequest(Api.CUSTOMER, f"customer/{MARK}", query=(("id", MARK),))
    try:
        with pytest.raises(LookupFailed) as raised:
            await connection.exchange.send(request, soon())
    finally:
        await connection.aclose()
        await tasks.cancel()
    told = "".join(traceback.format_exception(raised.value))
    assert canaries.found_in(f"{told} {raised.value!r} {raised.value.detail}") == set()


def soon() -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + 5, asked_at=NOW)


class Heard(logging.Handler):
    """Everything that is logged, in its own words."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {logging.Formatter().format(record)}")


@contextmanager
def turned_up(handler: logging.Handler, **levels: int) -> Iterator[None]:
    """All that libraries log goes to the handler while the context lives."""
    loggers = [logging.getLogger(), *map(logging.getLogger, levels)]
    before = [one.level for one in loggers]
    for one, level in zip(loggers, (logging.DEBUG, *levels.values()), strict=True):
        one.setLevel(level)
    loggers[0].addHandler(handler)
    try:
        yield
    finally:
        loggers[0].removeHandler(handler)
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)


async def drive(stage: Stage) -> None:
    """Every connection, good and broken, and the vendors in a few of their bad moods."""
    async with within(stage, env=ENVIRONMENT) as running:
        for mood in ("none", "resets", "spills, 401"):
            for vendor in running.vendors.values():
                await vendor.faults.set(*([EVERY_FAULT[mood]] if mood in EVERY_FAULT else []))
            for tenant in (f"{name}_demo" for name in (*SHAPES, "local", *BROKEN)):
                ids = [customer_id(tenant, number) for number in NUMBERS]
                await running.data.account(tenant, ids[2])
                await running.data.revenue(tenant, ids)
                await running.data.disputes(tenant, ids)
            for vendor in running.vendors.values():
                await vendor.faults.clear()


async def test_no_library_logs_what_it_should_not_however_far_it_is_turned_up(
    stage: Stage, canaries: Canaries
) -> None:
    """In their own words. SQLAlchemy logs rows at DEBUG, so that it is left at INFO here."""
    heard = Heard()
    levels = {"aiohttp": logging.DEBUG, "asyncio": logging.DEBUG, "sqlalchemy": logging.INFO}
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    try:
        with turned_up(heard, **levels):
            await drive(stage)
    finally:
        loop.set_debug(False)
    assert any(one.startswith("sqlalchemy") for one in heard.lines)
    assert any(one.startswith("asyncio") for one in heard.lines)
    assert [one for one in heard.lines if canaries.found_in(one)] == []


async def test_what_libraries_log_passes_through_our_log_without_its_words(
    stage: Stage, canaries: Canaries
) -> None:
    """Rows and parameters of the database included, which its libraries do log at DEBUG."""
    written = io.StringIO()
    handler = LibraryHandler(Log(written, level="debug", style="json"))
    handler.setLevel(logging.DEBUG)
    levels = {"sqlalchemy": logging.DEBUG, "sqlalchemy.engine": logging.DEBUG}
    with turned_up(handler, **levels):
        await drive(stage)
    assert '"library": "sqlalchemy.engine' in written.getvalue()
    assert canaries.found_in(written.getvalue()) == set()
