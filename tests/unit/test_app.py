"""The parts put together: from a configuration to answers, and from one to the next."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from prometheus_client import generate_latest
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.lookup import wall_clock
from adapters.simulator import pedkai
from adapters.simulator.population import customer_id
from config.settings import AdminListener, DataListener, Listeners, OpsListener, Settings
from proxy.app import Sidecar
from proxy.configuration import Reading, read_configuration
from proxy.http.addresses import ListenerUnavailable
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics

FREE_PORTS = {"data": {"port": 0}, "ops": {"port": 0}, "admin": {"port": 0}}
MOCK: dict[str, Any] = {
    "schema_version": 1,
    "connections": {"mock": {"vendor": "mock"}},
    "tenants": {"mock_demo": {"connection": "mock"}},
    "listeners": FREE_PORTS,
    "cache": {"store": "off"},
}
ANYWHERE = Settings(
    schema_version=1,
    listeners=Listeners(
        data=DataListener(port=0), ops=OpsListener(port=0), admin=AdminListener(port=0)
    ),
)
A = UUID(int=1)
DEGRADED = {
    "total_revenue_at_risk": None,
    "is_estimate": True,
    "source": "unavailable",
    "priced_customer_count": 0,
    "unpriced_customer_count": 1,
    "requires_manual_valuation": True,
}


class Bench:
    """A sidecar with a file of its own, and a pod that asks it."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self.path = folder / "sidecar.yaml"
        self.session = session
        self.out = io.StringIO()
        self.telemetry = Telemetry(Log(self.out), Metrics())
        self.sidecar = Sidecar(self.telemetry, clock=wall_clock)

    async def configure(self, content: Mapping[str, Any] | str | None) -> None:
        """Writes the file and lets the sidecar take it up."""
        if content is None:
            self.path.unlink(missing_ok=True)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            self.path.write_text(text)
        await self.sidecar.take_up(self.read())
        await self.sidecar.listen()

    def read(self) -> Reading:
        return read_configuration(self.path, env={}, lenient=True, fallback=ANYWHERE)

    async def ask(
        self, method: str, path: str, *, door: str = "data", tenant: str = "mock_demo", **more: Any
    ) -> tuple[int, Mapping[str, str], Any]:
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        url = f"{self.sidecar.addresses()[door]}{path}"
        async with self.session.request(method, url, headers=headers, **more) as answer:
            text = await answer.text()
            return (
                answer.status,
                answer.headers,
                json.loads(text) if "json" in (answer.content_type) else text,
            )

    async def revenue(self, *ids: UUID, tenant: str = "mock_demo") -> tuple[Any, str | None]:
        asked = {"customer_ids": [str(one) for one in ids]}
        status, headers, result = await self.ask(
            "POST", "/v1/revenue-at-risk", tenant=tenant, json=asked
        )
        assert status == 200
        return result, headers.get("BSS-Degraded")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@asynccontextmanager
async def bench_in(folder: Path) -> AsyncIterator[Bench]:
    async with aiohttp.ClientSession() as session:
        bench = Bench(folder, session)
        try:
            yield bench
        finally:
            await bench.sidecar.stop(1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as one:
        yield one


async def test_a_configured_tenant_is_answered_by_its_connection(bench: Bench) -> None:
    await bench.configure(MOCK)
    result, degraded = await bench.revenue(customer_id("mock_demo", 0))
    assert (result["source"], result["priced_customer_count"], degraded) == ("mock", 1, None)
    status, _, _ = await bench.ask(
        "GET", f"/v1/customers/{customer_id('mock_demo', 9)}/billing-account"
    )
    assert status == 404
    status, _, _ = await bench.ask("GET", f"/v1/customers/{A}/billing-account", tenant="other")
    assert status == 404


async def test_readiness_is_the_data_listeners(bench: Bench) -> None:
    assert bench.sidecar.status().ready is False
    await bench.configure(MOCK)
    status, _, _ = await bench.ask("GET", "/readyz", door="ops")
    assert status == 200
    assert bench.sidecar.status().ready is True


async def test_the_status_page_shows_what_is_served(bench: Bench) -> None:
    vendor = {
        "vendor": "csg",
        "base_url": "https://bss.invalid/tmf-api/",
        "oauth2": {
            "token_url": "https://bss.invalid/token",
            "client_id": "c",
            "client_secret_file": "/nowhere/secret",
        },
        "identity": {"kind": "file", "file": "/nowhere/customers.csv"},
    }
    await bench.configure(
        MOCK
        | {
            "connections": {"mock": {"vendor": "mock"}, "live": vendor},
            "tenants": {"mock_demo": {"connection": "mock"}, "live_one": {"connection": "live"}},
            "default_tenant": "mock_demo",
        }
    )
    await bench.revenue(A, tenant="live_one")
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    assert status["configuration"] == {"state": "good", "problems": []}
    assert status["tenants"] == {"mock_demo": "mock", "live_one": "live"}
    assert status["default_tenant"] == "mock_demo"
    mock = status["connections"]["mock"]
    assert (mock["vendor"], mock["identity"], mock["state"]) == ("mock", "identity", "well")
    live = status["connections"]["live"]
    assert (live["vendor"], live["in_flight"]) == ("csg", 0)
    assert live["identity"].startswith("file: ")
    assert set(status["listeners"]) == {"data", "ops", "admin"}
    assert live["state"] == "broken", "its question was not answered in full"
    assert status["attention"][0]["connection"] == "live"


async def test_the_status_page_says_that_an_identity_database_is_not_read(
    bench: Bench, tmp_path: Path
) -> None:
    dsn = tmp_path / "dsn"
    dsn.write_text(f"sqlite+aiosqlite:///{tmp_path}/absent.db")
    vendor = {
        "vendor": "amdocs",
        "base_url": "http://127.0.0.1:9/",
        "insecure": True,
        "identity": {"kind": "pedkai_db", "dsn_file": str(dsn)},
    }
    await bench.configure(MOCK | {"connections": {"mock": vendor}})
    assert bench.sidecar.status().connections["mock"]["identity"] == "pedkai_db"
    await bench.revenue(A)
    shown = bench.sidecar.status().connections["mock"]["identity"]
    assert shown == "pedkai_db: unreachable: OperationalError"


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "listeners: {data: {port: 0}, ops: {port: 0}, admin: {port: 0}}\nschema_version: 7\n",
    ],
)
async def test_without_a_usable_configuration_every_question_is_answered_degraded(
    bench: Bench, content: str | None
) -> None:
    await bench.configure(content)
    result, degraded = await bench.revenue(A, tenant="any_tenant")
    assert result == DEGRADED
    assert degraded == "configuration;unavailable=1"
    result, degraded = await bench.revenue(tenant="")
    assert (result["requires_manual_valuation"], result["is_estimate"]) == (False, True)
    assert degraded is None
    for method, path, body in (
        ("GET", f"/v1/customers/{A}/billing-account", None),
        ("POST", "/v1/disputes", {"customer_ids": [str(A)]}),
    ):
        status, headers, problem = await bench.ask(method, path, json=body)
        assert (status, problem["reason"]) == (503, "configuration")
        assert "Retry-After" in headers
    status, _, _ = await bench.ask("GET", f"/v1/customers/{A}/billing-account", tenant="No!")
    assert status == 404
    status, _, _ = await bench.ask("GET", "/readyz", door="ops")
    assert status == 200
    _, _, shown = await bench.ask("GET", "/v1/status", door="admin")
    assert shown["configuration"]["state"] == "bad"
    assert shown["configuration"]["problems"]
    assert any(line["event"] == "bad_configuration" for line in bench.lines)
    metrics = generate_latest(bench.telemetry.metrics.registry).decode()
    assert 'bss_sidecar_configuration{state="bad"} 1.0' in metrics


async def test_the_log_alone_says_how_to_mend_a_file(bench: Bench) -> None:
    bad = {"schema_version": 1, "listeners": FREE_PORTS, "tenants": {"acme": {"connection": "x"}}}
    await bench.configure(json.dumps(bad, indent=1))
    told = [line for line in bench.lines if line["event"] == "bad_configuration"]
    assert [line["path"] for line in told] == ["tenants.acme.connection"]
    assert told[0]["instead"] == "one that the file has; it has none yet"
    assert '"x"' in bench.path.read_text().splitlines()[told[0]["line"] - 1]
    await bench.configure(None)
    assert [line["path"] for line in bench.lines if line["event"] == "bad_configuration"][1:] == [
        "the file"
    ]


async def test_a_stop_is_told_before_anything_ends(bench: Bench) -> None:
    await bench.configure(MOCK)
    await bench.sidecar.stop(0.5)
    assert bench.lines[-1]["event"] == "stopping"
    assert bench.lines[-1]["grace_s"] == 0.5


async def test_a_bad_file_whose_listeners_are_good_is_listened_for_where_it_says(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    bad = MOCK | {"auth": {"token_file": str(token)}, "tenants": {"mock_demo": {}}}
    await bench.configure(bad)
    assert bench.read().settings is None
    status, _, _ = await bench.ask("GET", "/openapi.json")
    assert status == 401
    headers = {"Authorization": f"Bearer {token.read_text()}"}
    url = f"{bench.sidecar.addresses()['data']}/openapi.json"
    async with bench.session.get(url, headers=headers) as answer:
        assert answer.status == 200


async def test_a_mended_file_is_taken_up_and_a_broken_one_leaves_the_last_good_one(
    bench: Bench,
) -> None:
    known = customer_id("mock_demo", 0)
    await bench.configure(MOCK | {"tenants": {"mock_demo": {}}})
    assert (await bench.revenue(known))[0]["source"] == "unavailable"
    await bench.configure(MOCK)
    assert (await bench.revenue(known))[0]["source"] == "mock"
    await bench.configure(MOCK | {"tenants": {"mock_demo": {}}})
    assert (await bench.revenue(known))[0]["source"] == "mock"
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    assert status["configuration"]["state"] == "outdated"
    assert status["configuration"]["problems"][0]["path"] == "tenants.mock_demo.connection"
    await bench.configure(MOCK)
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    assert status["configuration"] == {"state": "good", "problems": []}


async def test_listeners_that_stay_where_they_are_stay_open_and_the_others_move(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.configure(MOCK)
    before = bench.sidecar.addresses()
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    moved = FREE_PORTS | {"ops": {"host": "127.0.0.2", "port": 0}}
    await bench.configure(MOCK | {"listeners": moved, "auth": {"token_file": str(token)}})
    after = bench.sidecar.addresses()
    assert (after["data"], after["admin"]) == (before["data"], before["admin"])
    assert after["ops"].host == "127.0.0.2"
    status, _, _ = await bench.ask("GET", "/openapi.json")
    assert status == 401


async def test_a_listener_moves_to_an_address_that_its_old_one_stands_in_the_way_of(
    bench: Bench,
) -> None:
    await bench.configure(MOCK)
    port = bench.sidecar.addresses()["ops"].port
    for host in ("127.0.0.1", "0.0.0.0"):
        await bench.configure(
            MOCK | {"listeners": FREE_PORTS | {"ops": {"host": host, "port": port}}}
        )
        assert bench.sidecar.addresses()["ops"].host == host
        async with bench.session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200


async def test_a_listener_that_cannot_be_had_is_told_once_and_had_as_soon_as_it_can(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("short")
    with pytest.raises(ListenerUnavailable, match="token file"):
        await bench.configure(MOCK | {"auth": {"token_file": str(token)}})
    with pytest.raises(ListenerUnavailable):
        await bench.sidecar.listen()
    assert [line["listener"] for line in bench.lines if line["event"] == "not_listening"] == [
        "data"
    ]
    status, _, body = await bench.ask("GET", "/readyz", door="ops")
    assert (status, body["because"]) == (503, "the data listener is not open")
    _, _, shown = await bench.ask("GET", "/v1/status", door="admin")
    assert shown["listeners"]["data"].startswith("not open: token file")
    token.write_text("0123456789abcdef")
    await bench.sidecar.listen()
    assert bench.sidecar.status().ready


async def test_a_listener_never_stays_open_without_the_token_it_should_ask_for(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.configure(MOCK)
    token = tmp_path / "token"
    token.write_text("")
    with pytest.raises(ListenerUnavailable):
        await bench.configure(MOCK | {"auth": {"token_file": str(token)}})
    assert "data" not in bench.sidecar.addresses()


async def test_settings_that_cannot_be_put_to_work_are_bad_ones(bench: Bench) -> None:
    await bench.configure(MOCK)
    reading = read_configuration(bench.path, env={})
    assert reading.settings is not None
    broken = reading.settings.model_copy(update={"connections": {}})
    await bench.sidecar.take_up(type(reading)(settings=broken, doors=reading.doors, digest="other"))
    status = bench.sidecar.status()
    assert status.configuration == "outdated"
    assert "KeyError" in status.problems[0]["remedy"]
    assert (await bench.revenue(customer_id("mock_demo", 0)))[0]["source"] == "mock"


async def test_a_database_whose_url_comes_later_is_taken_up_when_it_comes(
    bench: Bench, tmp_path: Path
) -> None:
    dsn = tmp_path / "dsn"
    identity = {"kind": "pedkai_db", "dsn_file": str(dsn)}
    vendor = {
        "vendor": "amdocs",
        "base_url": "http://127.0.0.1:9/",
        "insecure": True,
        "identity": identity,
    }
    await bench.configure(
        MOCK
        | {
            "connections": {
                "own": {"vendor": "local", "database": {"dsn_file": str(dsn)}},
                "live": vendor,
            },
            "tenants": {
                "local_demo": {"connection": "own"},
                "amdocs_demo": {"connection": "live"},
            },
        }
    )
    known = customer_id("local_demo", 0)
    result, degraded = await bench.revenue(known, tenant="local_demo")
    assert (result["source"], degraded) == ("unavailable", "configuration;unavailable=1")
    _, degraded = await bench.revenue(customer_id("amdocs_demo", 0), tenant="amdocs_demo")
    assert degraded == "identity;unavailable=1"
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    assert "can't be read" in status["connections"]["own"]["database"]

    url = f"sqlite+aiosqlite:///{tmp_path / 'pedkai.sqlite'}"
    engine = create_async_engine(url)
    await pedkai.seed(engine, now=wall_clock())
    await engine.dispose()
    dsn.write_text(url)
    async with asyncio.timeout(20):
        while result["source"] != "bss_local":
            result, degraded = await bench.revenue(known, tenant="local_demo")
            await asyncio.sleep(0.02)
    assert (result["priced_customer_count"], degraded) == (1, None)
    _, degraded = await bench.revenue(customer_id("amdocs_demo", 0), tenant="amdocs_demo")
    assert degraded == "unreachable;unavailable=1"
