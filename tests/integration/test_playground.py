"""The routes of the demo's buttons: there in the demo only, and for its own page only."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from proxy.demo.children import Children
from proxy.demo.murmur import murmur
from proxy.demo.play import GONE
from proxy.demo.stage import TENANTS, Ports, Stage
from tests.servers.playground import Playground, playground
from tests.servers.sidecar import demonstration

VENDOR = "/v1/demo/vendors/amdocs"
CERTIFICATE = "/v1/demo/certificate"


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Playground]:
    async with playground(tmp_path) as made:
        yield made


async def look(ground: Playground) -> Any:
    return (await ground.demo.admin.ask("GET", "/v1/demo")).json()["vendors"]


def faults(ground: Playground) -> list[str]:
    return [one.name for one in ground.demo.vendors["amdocs"].faults.in_force]


@pytest.mark.parametrize(("wanted", "fault"), [("cut", "refuse"), ("slow", "latency")])
async def test_a_vendor_is_broken_and_restored(ground: Playground, wanted: str, fault: str) -> None:
    told = await ground.demo.admin.ask("POST", VENDOR, json={"fault": wanted})
    assert (told.status, told.json()) == (200, {"fault": wanted})
    assert faults(ground) == [fault]
    assert await look(ground) == {"amdocs": wanted}
    told = await ground.demo.admin.ask("POST", VENDOR, json={"fault": None})
    assert (told.status, told.json()) == (200, {"fault": None})
    assert faults(ground) == []
    assert await look(ground) == {"amdocs": None}


async def test_the_second_fault_takes_the_place_of_the_first(ground: Playground) -> None:
    for wanted in ("cut", "slow"):
        await ground.demo.admin.ask("POST", VENDOR, json={"fault": wanted})
    assert faults(ground) == ["latency"]


async def test_a_rotation_leaves_another_certificate(ground: Playground) -> None:
    before = ground.certificate.read_bytes()
    told = await ground.demo.admin.ask("POST", CERTIFICATE, json={})
    assert (told.status, told.json()) == (200, {"certificate": "rotated"})
    assert ground.certificate.read_bytes() != before


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "nonsense", '{"fault": "hang"}', '{"fault": {}}']
)
async def test_what_is_no_fault_of_the_page_changes_nothing(
    ground: Playground, content: str
) -> None:
    headers = {"Content-Type": "application/json"}
    told = await ground.demo.admin.ask("POST", VENDOR, data=content, headers=headers)
    assert told.status in {400, 422}
    assert faults(ground) == []


async def test_a_vendor_that_is_none_is_unknown(ground: Playground) -> None:
    told = await ground.demo.admin.ask("POST", "/v1/demo/vendors/else", json={"fault": "cut"})
    assert told.status == 404
    assert told.json()["detail"] == "there are: amdocs"


async def test_a_vendor_whose_process_is_gone_is_said_to_be(ground: Playground) -> None:
    await ground.control.stop()
    assert await look(ground) == {"amdocs": GONE}
    told = await ground.demo.admin.ask("POST", VENDOR, json={"fault": "cut"})
    assert told.status == 503


@pytest.mark.parametrize("path", [VENDOR, CERTIFICATE])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.test"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_a_page_of_elsewhere_presses_no_button(
    ground: Playground, path: str, headers: Mapping[str, str], status: int
) -> None:
    before = ground.certificate.read_bytes()
    given = {"Content-Type": "application/json", **headers}
    told = await ground.demo.admin.ask("POST", path, data='{"fault": "cut"}', headers=given)
    assert told.status == status
    assert faults(ground) == []
    assert ground.certificate.read_bytes() == before


async def test_a_sidecar_in_earnest_has_no_buttons_and_no_routes_for_them(tmp_path: Path) -> None:
    async with demonstration(tmp_path, setups={}) as demo:
        for method, path in (("GET", "/v1/demo"), ("POST", VENDOR), ("POST", CERTIFICATE)):
            for pod in demo.pods.values():
                told = await pod.ask(method, path, json={"fault": "cut"})
                assert told.status == 404
                assert told.json()["type"] == "urn:bss-sidecar:problem:unknown-route"
        assert b"/v1/demo" not in (await demo.admin.ask("GET", "/")).body


async def test_the_pretend_pod_asks_for_each_tenant_also_after_an_answer_that_is_none(
    tmp_path: Path,
) -> None:
    asked: dict[str, int] = dict.fromkeys(TENANTS, 0)
    all_asked_again = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked[request.headers["X-Tenant-ID"]] += 1
        if min(asked.values()) > 1:
            all_asked_again.set()
        return web.Response(status=500, text="no JSON")

    application = web.Application()
    application.add_routes([web.route("*", "/{any:.*}", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            stage = Stage(tmp_path, Ports(data=runner.addresses[0][1]), Children(tmp_path), session)
            murmuring = tasks.create_task(murmur(stage))
            async with asyncio.timeout(30):
                await all_asked_again.wait()
            assert not murmuring.done()
            murmuring.cancel()
    finally:
        await runner.cleanup()
    assert murmuring.cancelled()
