"""A page of elsewhere in an operator's browser: it reads nothing and changes nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.page import acting
from tests.page.chromium import Browser, Tab
from tests.servers.sidecar import Demonstration

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTENERS = ("data", "ops", "admin")
READ = {
    "data": "/openapi.json",
    "ops": "/metrics",
    "admin": "/v1/status",
}
CHANGE = {
    "data": "/v1/customers/690d0f10-f78e-5c21-a479-11377b7ddd84/cache",
    "ops": "/healthz",
    "admin": "/v1/connections/amdocs/breaker",
}
ATTEMPT = """(async ([base, read, change]) => {
  const tried = async (path, more) => {
    try {
      const reply = await fetch(base + path, more);
      return [reply.type, reply.status, await reply.text()];
    } catch (error) { return ["refused", 0, error.name]; }
  };
  const body = JSON.stringify({ force: "open" });
  const as = (kind) => ({ "Content-Type": kind });
  return {
    read: await tried(read),
    blind: await tried(read, { mode: "no-cors" }),
    plain: await tried(change, { method: "POST", body, headers: as("text/plain") }),
    json: await tried(change, { method: "POST", body, headers: as("application/json") }),
    gone: await tried(change, { method: "DELETE", body, headers: as("application/json") }),
    sent: navigator.sendBeacon(base + change, body),
  };
})"""
FRAMED = """new Promise((done) => {
  const frame = document.createElement("iframe");
  const told = () => {
    try { return frame.contentDocument?.body?.innerText ?? null; } catch { return null; }
  };
  frame.onload = () => done(told());
  frame.src = %s;
  document.body.append(frame);
})"""
FORM = """(() => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: %s, enctype: "text/plain" });
  const field = document.createElement("input");
  Object.assign(field, { name: '{"force":"open","breaker":"vendor","x":"', value: '"}' });
  form.append(field);
  document.body.append(form);
  form.submit();
})()"""


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    """A site of somebody else's, on another origin."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>x</title>", content_type="text/html")

    application = web.Application()
    application.add_routes([web.get("/", page), web.get("/favicon.ico", page)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://evil.test:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_page_of_another_origin_reads_nothing_and_changes_nothing(
    demo: Demonstration, browser: Browser
) -> None:
    async with elsewhere() as evil, browser.tab() as tab:
        await tab.open(evil)
        await tab.until("document.title === 'x'")
        for listener in LISTENERS:
            told = await attempts(tab, acting.address(demo, listener), listener)
            assert told["blind"] == ["opaque", 0, ""]
            for name in ("read", "plain", "json", "gone"):
                assert told[name] == ["refused", 0, "TypeError"], (listener, name)
        framed = await tab.run(FRAMED % json.dumps(f"{acting.address(demo)}/"))
        assert not framed
        await tab.run(FORM % json.dumps(acting.address(demo) + CHANGE["admin"]))
        await tab.until("location.port !== '' && document.title !== 'x'")
        await _nothing_changed(demo)


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_name_that_is_rebound_to_the_sidecar_reads_nothing_and_changes_nothing(
    demo: Demonstration, browser: Browser, listener: str
) -> None:
    """For the browser, that page and the sidecar are one site: only `Host` tells."""
    port = acting.address(demo, listener).rpartition(":")[2]
    async with browser.tab() as tab:
        await tab.open(f"http://evil.test:{port}{READ[listener]}")
        await tab.until("location.hostname === 'evil.test' && !!document.body")
        assert "comes from elsewhere" in await tab.run("document.body.innerText")
        told = await attempts(tab, "", listener)
        for name in ("read", "plain", "json", "gone"):
            kind, status, text = told[name]
            assert (kind, status) == ("basic", 403), name
            assert "amdocs" not in text
        assert told["blind"][1] == 403
        await _nothing_changed(demo)


async def attempts(tab: Tab, base: str, listener: str) -> dict[str, Any]:
    asked = json.dumps([base, READ[listener], CHANGE[listener]])
    told: dict[str, Any] = await tab.run(f"{ATTEMPT}({asked})")
    return told


async def _nothing_changed(demo: Demonstration) -> None:
    assert (await acting.breaker(demo))["state"] == "closed"
    events = {json.loads(line)["event"] for line in demo.log.getvalue().splitlines()}
    assert not events & {"question", "breaker_forced"}
