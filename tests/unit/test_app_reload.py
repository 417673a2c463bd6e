"""From one configuration to the next: what did not change is not touched."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from prometheus_client import generate_latest

from adapters.simulator.population import customer_id
from proxy.connection import VendorConnection
from proxy.http.addresses import ListenerUnavailable
from proxy.runtime import ConfiguredRuntime
from tests.unit.test_app import FREE_PORTS, MOCK, Bench, bench_in

A = UUID(int=1)
OLD, NEW = "old-token-old-token", "new-token-new-token"


class Vendor:
    """Counts who connects, and knows nobody."""

    def __init__(self) -> None:
        self.connected = 0
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        return web.json_response([])


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    server = web.Server(vendor.answer)

    def protocol() -> web.RequestHandler:
        vendor.connected += 1
        return server()

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    try:
        yield vendor
    finally:
        listening.close()
        await server.shutdown(0.1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as one:
        yield one


def live(vendor: Vendor, **more: Any) -> dict[str, Any]:
    connection = {"vendor": "amdocs", "base_url": vendor.url, "insecure": True, **more}
    return MOCK | {
        "connections": {"mock": {"vendor": "mock"}, "live": connection},
        "tenants": {"mock_demo": {"connection": "mock"}, "live_one": {"connection": "live"}},
    }


def connection(bench: Bench) -> VendorConnection:
    runtime = bench.sidecar._runtime
    assert isinstance(runtime, ConfiguredRuntime)
    return runtime._connections["live"]


async def test_a_connection_that_did_not_change_keeps_its_sockets(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    await bench.revenue(A, tenant="live_one")
    before, connected = connection(bench), vendor.connected
    assert connected
    changed = live(vendor, identity={"kind": "identity"}, tmf={"page_size": 7})
    changed["tenants"]["live_two"] = {"connection": "live", "reporting_currency": "EUR"}
    await bench.configure(changed)
    _, degraded = await bench.revenue(A, tenant="live_two")
    assert degraded is None
    assert connection(bench) is before
    assert vendor.connected == connected


async def test_a_connection_that_changed_is_another_one_and_the_old_one_is_closed(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    await bench.revenue(A, tenant="live_one")
    before = connection(bench)
    await bench.configure(live(vendor, wire={"concurrency": 3}))
    assert connection(bench) is not before
    _, degraded = await bench.revenue(A, tenant="live_one")
    assert degraded is None
    async with asyncio.timeout(20):
        while not before._line._closed:
            await bench.revenue(A, tenant="live_one")


async def test_a_bad_configuration_touches_nothing(bench: Bench, vendor: Vendor) -> None:
    await bench.configure(live(vendor))
    before = connection(bench)
    await bench.configure(live(vendor) | {"tenants": {"live_one": {"connection": "nobody"}}})
    assert connection(bench) is before
    _, degraded = await bench.revenue(A, tenant="live_one")
    assert degraded is None
    metrics = generate_latest(bench.telemetry.metrics.registry).decode()
    reloads = 'bss_sidecar_reloads_total{connection="-",outcome="%s",what="configuration"}'
    assert f"{reloads % 'refused'} 1.0" in metrics
    assert reloads % "taken" not in metrics


async def test_settings_that_cannot_be_put_to_work_close_no_connection_of_those_that_serve(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    before = connection(bench)
    reading = bench.read()
    assert reading.settings is not None
    kept = {"live": reading.settings.connections["live"]}
    broken = reading.settings.model_copy(update={"connections": kept})
    await bench.sidecar.take_up(type(reading)(settings=broken, doors=reading.doors, digest="x"))
    assert bench.sidecar.status().configuration == "outdated"
    assert connection(bench) is before
    assert not before._line._closed


async def test_settings_that_cannot_be_put_to_work_change_nothing_of_the_audit_trail(
    bench: Bench, tmp_path: Path
) -> None:
    """Nor who is counted: whoever reads `/metrics` is told no name that nobody let out."""
    kept, refused = tmp_path / "kept.jsonl", tmp_path / "refused.jsonl"
    await bench.configure(MOCK | {"audit": {"sink": "file", "file": str(kept)}})
    reading = bench.read()
    assert reading.settings is not None
    broken = reading.settings.model_copy(
        update={
            "connections": {},
            "audit": reading.settings.audit.model_copy(update={"file": str(refused)}),
            "metrics": reading.settings.metrics.model_copy(update={"by_tenant": True}),
        }
    )
    await bench.sidecar.take_up(type(reading)(settings=broken, doors=reading.doors, digest="other"))
    await bench.revenue(customer_id("mock_demo", 0))
    await asyncio.to_thread(bench.telemetry.audit.end, 20)
    assert not refused.exists()
    assert len(kept.read_text().splitlines()) == 1
    assert "mock_demo" not in generate_latest(bench.telemetry.metrics.registry).decode()


async def test_an_identity_file_is_read_before_anybody_asks(bench: Bench) -> None:
    live = {
        "vendor": "csg",
        "base_url": "https://bss.invalid/tmf-api/",
        "oauth2": {
            "token_url": "https://bss.invalid/token",
            "client_id": "c",
            "client_secret_file": "/nowhere/secret",
        },
        "identity": {"kind": "file", "file": "/nowhere/customers.csv"},
    }
    tenants = {"live_one": {"connection": "live"}}
    settings = {"connections": {"live": live}, "tenants": tenants, "default_tenant": "live_one"}
    await bench.configure(MOCK | settings)
    bench.sidecar.look_after()
    async with asyncio.timeout(5):
        while bench.sidecar.status().connections["live"]["identity"] == "file":  # noqa: ASYNC110  (a thread reads it)
            await asyncio.sleep(0.01)
    assert str(bench.sidecar.status().connections["live"]["identity"]).startswith("file: ")


async def test_what_an_identity_file_said_is_known_to_the_next_configuration(
    bench: Bench, vendor: Vendor, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(f"customer_id,vendor_id\n{A},1\n")
    identity = {"kind": "file", "file": str(file)}
    await bench.configure(live(vendor, identity=identity))
    assert (await bench.revenue(A, tenant="live_one"))[1] is None
    file.write_text("nonsense")
    await bench.configure(live(vendor, identity=identity, wire={"concurrency": 3}))
    assert (await bench.revenue(A, tenant="live_one"))[1] is None


async def test_a_rotated_token_opens_the_same_listener_and_the_former_one_does_for_a_while(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(OLD)
    await bench.configure(MOCK | {"auth": {"token_file": str(token)}})
    before = bench.sidecar.addresses()["data"]
    token.write_text(NEW)
    assert [await enter(bench, one) for one in (OLD, NEW)] == [200, 401]
    await bench.sidecar.listen()
    assert bench.sidecar.addresses()["data"] == before
    assert [await enter(bench, one) for one in (OLD, NEW, "neither-of-them")] == [200, 200, 401]
    assert any(line["event"] == "reloaded" for line in bench.lines)
    assert OLD not in bench.out.getvalue()


async def test_a_token_file_that_turned_bad_is_in_the_status_and_the_last_token_opens(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(OLD)
    await bench.configure(MOCK | {"auth": {"token_file": str(token)}})
    assert bench.sidecar.files() == {token}
    token.unlink()
    await bench.sidecar.listen()
    bench.sidecar.look_after()
    assert await enter(bench, OLD) == 200
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    (file,) = status["files"]
    assert file["file"] == str(token)
    assert "No such file" in file["what"]
    assert "16 characters" in file["remedy"]
    assert str(token) in str(status["attention"])
    assert [one["event"] for one in bench.lines][-1] == "bad_file"


async def test_another_token_file_must_have_a_token(bench: Bench, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(OLD)
    bad.write_text("short")
    await bench.configure(MOCK | {"auth": {"token_file": str(good)}})
    with pytest.raises(ListenerUnavailable):
        await bench.configure(MOCK | {"auth": {"token_file": str(bad)}})
    assert "data" not in bench.sidecar.addresses()


async def enter(bench: Bench, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{bench.sidecar.addresses()['data']}/openapi.json"
    async with bench.session.get(url, headers=headers) as answer:
        return answer.status


async def test_credentials_that_are_missing_are_told_with_their_files_and_what_to_do(
    bench: Bench, vendor: Vendor, tmp_path: Path
) -> None:
    secret = tmp_path / "absent" / "secret"
    oauth2 = {
        "token_url": f"{vendor.url}token",
        "client_id": "c",
        "client_secret_file": str(secret),
    }
    await bench.configure(live(vendor, oauth2=oauth2))
    assert (await bench.revenue(A, tenant="live_one"))[1] == "auth;unavailable=1"
    bench.sidecar.look_after()
    _, _, status = await bench.ask("GET", "/v1/status", door="admin")
    (file,) = status["files"]
    assert (file["connection"], file["file"], file["serious"]) == ("live", str(secret), True)
    assert file["what"].startswith("the client secret ")
    assert file["remedy"]
    assert any(line["event"] == "bad_file" for line in bench.lines)
    metrics = generate_latest(bench.telemetry.metrics.registry).decode()
    assert 'bss_sidecar_bad_files{connection="live",what="credentials"} 1.0' in metrics
    assert 'bss_sidecar_credentials_version{connection="live"} 0.0' in metrics


async def test_a_bad_database_url_leaves_the_database_that_serves_and_is_told(
    bench: Bench, tmp_path: Path
) -> None:
    dsn = tmp_path / "dsn"
    dsn.write_text(f"sqlite+aiosqlite:///{tmp_path}/absent.db")
    own = {"vendor": "local", "database": {"dsn_file": str(dsn)}}
    await bench.configure(
        MOCK | {"connections": {"own": own}, "tenants": {"local_demo": {"connection": "own"}}}
    )
    known = customer_id("local_demo", 0)
    assert (await bench.revenue(known, tenant="local_demo"))[1] == "unreachable;unavailable=1"
    dsn.write_text("mysql://canary:canary@host/db")
    async with asyncio.timeout(20):
        while not (files := (await bench.ask("GET", "/v1/status", door="admin"))[2]["files"]):
            pass
    (file,) = files
    assert (file["connection"], file["file"]) == ("own", str(dsn))
    assert "canary" not in str(bench.sidecar.status())
    assert (await bench.revenue(known, tenant="local_demo"))[1] == "unreachable;unavailable=1"


async def test_no_file_is_watched_where_none_may_change(bench: Bench) -> None:
    await bench.configure(MOCK | {"listeners": FREE_PORTS})
    assert bench.sidecar.files() == frozenset()
