"""The client against a whole sidecar in a process of its own, and the demonstration's customers."""

import asyncio
import gc
import signal
import socket
import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml
from pedkai_bss_client import BSSUnavailable, Degraded, RevenueResult, SidecarBSSAdapter

from adapters.simulator.certificates import write_demo_certificates
from adapters.simulator.population import CUSTOMERS, customer_id, truth
from tests.client.incident import IncidentService
from tests.servers.patience import in_time, patiently
from tests.servers.sidecar import START_TIMEOUT_S, Stage, listeners, served, staged
from tests.servers.stopwatch import stopwatch
from tests.servers.vendors import NOW, Setup

TIMEOUT_S = 2.0
SLACK_S = 0.1
PATIENCE_S = 60
KEPT = {"store": "memory", "ttl": "2m", "negative_ttl": "2m"}


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a question leaves that was cut short while it connected is closed by the collector.

    It warns of that, and would do so in a later test, which has nothing to do with it.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def everybody(tenant: str) -> list[UUID]:
    return [customer_id(tenant, number) for number in range(CUSTOMERS)]


def true_fees(tenant: str) -> list[Decimal]:
    fees = [truth(tenant, number, NOW).monthly_fee for number in range(CUSTOMERS)]
    return [fee for fee in fees if fee is not None]


def configured(stage: Stage, data: Mapping[str, Any], **auth: str) -> None:
    content = yaml.safe_load(stage.configuration.read_text())
    content["listeners"]["data"] = dict(data)
    content["auth"] = auth
    stage.configuration.write_text(yaml.safe_dump(content))


@dataclass
class Process:
    """A sidecar that can be killed, frozen and started again, at the same address each time."""

    stage: Stage
    process: asyncio.subprocess.Process | None = None
    former: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> None:
        out, err = self.stage.folder / "stdout", self.stage.folder / "stderr"
        command = (sys.executable, "-P", "-m", "proxy", "serve", str(self.stage.configuration))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                *command, stdout=stdout, stderr=stderr
            )
        async with asyncio.timeout(START_TIMEOUT_S):
            await listeners(out, self.process)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def kill(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGKILL)
            await self.process.wait()


@asynccontextmanager
async def process(stage: Stage) -> AsyncIterator[Process]:
    made = Process(stage)
    await made.start()
    try:
        yield made
    finally:
        await made.kill()


@asynccontextmanager
async def on_a_port(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with staged(folder, setups={}) as stage:
        configured(stage, {"port": port})
        async with process(stage) as running:
            yield running, f"http://127.0.0.1:{port}"


async def whole(adapter: SidecarBSSAdapter, ids: Sequence[UUID]) -> RevenueResult:
    """On a busy machine not everybody is known at first; what was learned is cached."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    answer = await adapter.ask_revenue_at_risk(list(ids))
    while answer.degraded is not None and loop.time() < until:
        await asyncio.sleep(0.2)
        answer = await adapter.ask_revenue_at_risk(list(ids))
    return answer.value


@pytest.mark.parametrize("tenant", ["local_demo", "mock_demo", "amdocs_demo"])
async def test_a_thousand_customers_in_one_call_are_right_to_the_penny(
    tenant: str, tmp_path: Path
) -> None:
    setups = {"amdocs": Setup(shape="amdocs")} if tenant == "amdocs_demo" else {}
    ids, fees = everybody(tenant), true_fees(tenant)
    async with (
        staged(tmp_path, setups=setups, cache=KEPT) as stage,
        served(stage) as running,
        # The figures are judged here; and the vendor shares an event loop with the client.
        SidecarBSSAdapter(running.data.url, tenant=tenant, timeout=30) as adapter,
    ):
        found = await whole(adapter, ids)
    assert Decimal(repr(found.total_revenue_at_risk)) == sum(fees)
    assert (found.priced_customer_count, found.unpriced_customer_count) == (
        len(fees),
        CUSTOMERS - len(fees),
    )
    assert found.is_estimate is (tenant == "mock_demo")
    assert found.requires_manual_valuation


@patiently
async def test_five_thousand_mostly_unknown_customers_come_back_in_time(tmp_path: Path) -> None:
    strangers = [uuid4() for _ in range(5_000 - CUSTOMERS)]
    async with (
        staged(tmp_path, setups={}) as stage,
        served(stage) as running,
        SidecarBSSAdapter(running.data.url, tenant="local_demo") as adapter,
    ):
        with stopwatch() as taken_s:
            answer = await adapter.ask_revenue_at_risk([*strangers, *everybody("local_demo")])
    found = answer.value
    assert found.priced_customer_count + found.unpriced_customer_count == 5_000
    assert found.requires_manual_valuation
    in_time(taken_s(), TIMEOUT_S + SLACK_S)
    if answer.degraded is None:
        assert Decimal(repr(found.total_revenue_at_risk)) == sum(true_fees("local_demo"))
    else:
        in_time(TIMEOUT_S, TIMEOUT_S)  # on a busy machine; tried again


async def test_incidents_go_on_while_the_sidecar_dies_hangs_and_comes_back(
    tmp_path: Path,
) -> None:
    ids = everybody("mock_demo")[:5]
    total = float(sum(true_fees("mock_demo")[:5]))
    async with on_a_port(tmp_path) as (running, url):
        adapter = SidecarBSSAdapter(url, tenant="mock_demo")
        incidents = IncidentService(adapter)  # type: ignore[arg-type]  # models equal by name

        async def created(*, degraded: bool) -> None:
            with stopwatch() as taken_s:
                incident = await incidents.create_incident(ids)
            assert taken_s() < TIMEOUT_S + SLACK_S
            assert incident.revenue_at_risk == (None if degraded else total)
            assert incident.source == ("unavailable" if degraded else "mock")
            assert incident.needs_valuation is degraded

        await created(degraded=False)
        running.signal(signal.SIGSTOP)
        await created(degraded=True)
        running.signal(signal.SIGCONT)
        await created(degraded=False)
        await running.kill()
        await created(degraded=True)
        await running.start()
        await created(degraded=False)
    await created(degraded=True)
    assert incidents.swallowed == []
    await adapter.aclose()


async def test_a_storm_of_incidents_through_a_restart_raises_nothing(tmp_path: Path) -> None:
    ids = everybody("mock_demo")[:5]
    total = float(sum(true_fees("mock_demo")[:5]))
    async with on_a_port(tmp_path) as (running, url):
        incidents = IncidentService(SidecarBSSAdapter(url, tenant="mock_demo"))  # type: ignore[arg-type]  # models equal by name
        figures: list[float | None] = []
        back = asyncio.Event()

        async def one_after_the_other() -> None:
            while not back.is_set():
                figures.append((await incidents.create_incident(ids)).revenue_at_risk)

        async def restart() -> None:
            await running.kill()
            await incidents.create_incident(ids)
            await running.start()
            back.set()

        await asyncio.gather(restart(), *(one_after_the_other() for _ in range(4)))
        assert incidents.swallowed == []
        assert {*figures} <= {None, total}
        assert None in figures
        assert (await incidents.create_incident(ids)).revenue_at_risk == total


async def until_let_in(newcomer: SidecarBSSAdapter, known: UUID) -> None:
    """It knows the latest token only: the sidecar has read it once this is over."""
    async with asyncio.timeout(30):
        while True:
            with suppress(BSSUnavailable):
                await newcomer.get_billing_account(known)
                return
            await asyncio.sleep(0.05)


async def test_a_unix_socket_and_a_token_that_rotates(tmp_path: Path) -> None:
    token, door = tmp_path / "token", tmp_path / "bss-sidecar.sock"
    known = everybody("mock_demo")[0]
    async with staged(tmp_path, setups={}) as stage:
        configured(stage, {"unix_socket": str(door)}, token_file=str(token))
        async with (
            process(stage),
            SidecarBSSAdapter(f"unix:{door}", token_file=token, tenant="mock_demo") as adapter,
            SidecarBSSAdapter(f"unix:{door}", tenant="mock_demo") as stranger,
        ):
            assert await adapter.get_billing_account(known) is not None
            for number in range(3):
                draft = tmp_path / "draft"
                draft.write_text(f"{number}" * 40)
                draft.rename(token)
                assert await adapter.get_billing_account(known) is not None
                async with SidecarBSSAdapter(
                    f"unix:{door}", token_file=token, tenant="mock_demo"
                ) as newcomer:
                    await until_let_in(newcomer, known)
            with pytest.raises(BSSUnavailable, match="sidecar_refused"):
                await stranger.get_billing_account(known)
            answer = await stranger.ask_revenue_at_risk([known])
            assert answer.degraded == Degraded("sidecar_refused", 1)


async def test_over_https_only_a_sidecar_of_a_trusted_ca_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_demo_certificates(tmp_path, now=NOW)
    tls = {
        "certificate_file": str(tmp_path / "server.pem"),
        "key_file": str(tmp_path / "server.key"),
    }
    known = everybody("mock_demo")[0]
    async with staged(tmp_path, setups={}) as stage:
        configured(stage, {"port": 0, "tls": tls})
        async with served(stage) as running:
            url = running.data.url.replace("127.0.0.1", "localhost")
            assert url.startswith("https:")
            async with SidecarBSSAdapter(url, tenant="mock_demo") as adapter:
                with pytest.raises(BSSUnavailable, match="sidecar_unreachable"):
                    await adapter.get_billing_account(known)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            async with SidecarBSSAdapter(url, tenant="mock_demo") as adapter:
                assert await adapter.get_billing_account(known) is not None


async def test_a_sidecar_with_smaller_batches_gets_them(tmp_path: Path) -> None:
    async with staged(tmp_path, setups={}) as stage:
        content = yaml.safe_load(stage.configuration.read_text())
        content["limits"] = {"batch_ids": 70}
        stage.configuration.write_text(yaml.safe_dump(content))
        async with (
            served(stage) as running,
            SidecarBSSAdapter(running.data.url, tenant="mock_demo") as adapter,
        ):
            found = await adapter.get_revenue_at_risk(everybody("mock_demo"))
    assert Decimal(repr(found.total_revenue_at_risk)) == sum(true_fees("mock_demo"))


async def test_what_the_sidecar_refuses_is_not_taken_for_an_unknown_customer(
    tmp_path: Path,
) -> None:
    known, unknown = everybody("mock_demo")[0], uuid4()
    async with (
        staged(tmp_path, setups={}) as stage,
        served(stage) as running,
        SidecarBSSAdapter(running.data.url) as adapter,
    ):
        assert await adapter.get_billing_account(unknown, tenant="mock_demo") is None
        for tenant in ("no_such_tenant", None):
            with pytest.raises(BSSUnavailable, match="sidecar_refused"):
                await adapter.get_billing_account(known, tenant=tenant)
            answer = await adapter.ask_revenue_at_risk([known], tenant=tenant)
            assert answer.value == RevenueResult(
                total_revenue_at_risk=None,
                is_estimate=True,
                source="unavailable",
                unpriced_customer_count=1,
                requires_manual_valuation=True,
            )
