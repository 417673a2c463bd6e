"""What tests of the page do to the sidecar behind it, and what they look for on the page."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.simulator.faults import FAULTS
from adapters.simulator.population import customer_id
from tests.page.chromium import Browser, Tab
from tests.servers.sidecar import Demonstration

TENANT = "amdocs_demo"
PATIENCE_S = 30.0
BROKEN = "document.getElementById('headline-words').textContent === 'amdocs is broken'"
WELL = "document.getElementById('headline-words').textContent === 'All is well'"
LIVE = "document.getElementById('pulse').textContent.startsWith('live')"


def address(demo: Demonstration, listener: str = "admin") -> str:
    assert demo.sidecar
    return str(demo.sidecar.addresses()[listener])


@asynccontextmanager
async def watched(browser: Browser, demo: Demonstration) -> AsyncIterator[Tab]:
    """The page in a tab, once it shows the sidecar."""
    async with browser.tab() as tab:
        await tab.open(f"{address(demo)}/")
        await tab.until(LIVE)
        yield tab


async def ask(demo: Demonstration, times: int, *, first: int = 0) -> None:
    """So many pods ask about one customer each."""
    numbers = range(first, first + times)
    await asyncio.gather(*(demo.data.account(TENANT, customer_id(TENANT, n)) for n in numbers))


async def cut(demo: Demonstration) -> None:
    """Nobody listens where the vendor was, and the pods notice."""
    await until_trusted(demo)
    await demo.vendors["amdocs"].faults.set(FAULTS["refuse"]())
    await until_noticed(demo)


async def until_trusted(demo: Demonstration) -> None:
    """There is a token. Without one, only the token endpoint would be found to be gone."""
    async with asyncio.timeout(PATIENCE_S):
        while not (await status(demo))["connections"]["amdocs"]["token_ends_at"]:
            await ask(demo, 1)


async def until_noticed(demo: Demonstration) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (await breaker(demo))["state"] == "closed":
                await ask(demo, 10, first=100)
    except TimeoutError:
        raise AssertionError((await status(demo))["connections"]["amdocs"]) from None


async def restore(demo: Demonstration) -> None:
    await demo.vendors["amdocs"].faults.clear()
    async with asyncio.timeout(PATIENCE_S):
        while (await breaker(demo))["state"] != "closed":
            await ask(demo, 1, first=200)


async def status(demo: Demonstration) -> dict[str, Any]:
    shown: dict[str, Any] = (await demo.admin.ask("GET", "/v1/status")).json()
    return shown


async def breaker(demo: Demonstration) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = (await status(demo))["connections"]["amdocs"]["breakers"]["vendor"]
    return shown


def crowd(folder: Path, connections: int) -> Path:
    """A configuration of so many connections that ask nobody."""
    names = [f"mock{number:02}" for number in range(connections)]
    content = {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "connections": {name: {"vendor": "mock"} for name in names},
        "tenants": {f"{name}_tenant": {"connection": name} for name in names},
    }
    path = folder / "sidecar.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
