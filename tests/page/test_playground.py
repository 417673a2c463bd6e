"""The demo's buttons, pressed in a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.simulator.faults import FAULTS
from tests.page import acting
from tests.page.chromium import Browser, Tab
from tests.page.test_page import judged
from tests.servers.playground import Playground, playground

pytestmark = pytest.mark.asyncio(loop_scope="session")

PRESSED = "[...document.querySelectorAll('#extension [aria-pressed=true]')].map((b) => b.ariaLabel)"
SAID = "document.querySelector('#extension [role=status]').textContent"


@pytest_asyncio.fixture(loop_scope="session")
async def ground(tmp_path: Path) -> AsyncIterator[Playground]:
    async with playground(tmp_path) as made:
        yield made


async def press(tab: Tab, label: str) -> None:
    await tab.until(f"!!document.querySelector('[aria-label=\"{label}\"]:not([disabled])')")
    await tab.run(f"document.querySelector('[aria-label=\"{label}\"]').click()")


async def test_a_newcomer_cuts_slows_and_restores_a_vendor_and_sees_it(
    ground: Playground, browser: Browser
) -> None:
    async with acting.watched(browser, ground.demo) as tab:
        await tab.until("!document.getElementById('extension').hidden")
        await acting.until_trusted(ground.demo)
        await press(tab, "Cut amdocs")
        await tab.until(f"{SAID}.endsWith('amdocs is cut off now')")
        await tab.until(f"String({PRESSED}) === 'Cut amdocs'")
        await acting.until_noticed(ground.demo)
        await tab.until(acting.BROKEN)
        await press(tab, "Slow amdocs")
        await tab.until(f"String({PRESSED}) === 'Slow amdocs'")
        await press(tab, "Restore amdocs")
        await tab.until(f"{SAID}.endsWith('amdocs is restored')")
        await tab.until(f"String({PRESSED}) === ''")
        await acting.restore(ground.demo)
        await tab.until("!document.querySelector('.row.broken')")
        assert tab.complaints == []


async def test_a_certificate_is_rotated_by_a_button(ground: Playground, browser: Browser) -> None:
    before = ground.certificate.read_bytes()
    async with acting.watched(browser, ground.demo) as tab:
        await tab.until("!document.getElementById('extension').hidden")
        await tab.run("document.querySelector('#extension > button').click()")
        await tab.until(f"{SAID}.endsWith('another client certificate is mounted')")
    assert ground.certificate.read_bytes() != before


async def test_a_vendor_that_was_broken_from_a_terminal_is_seen_too(
    ground: Playground, browser: Browser
) -> None:
    async with acting.watched(browser, ground.demo) as tab:
        await tab.until("!document.getElementById('extension').hidden")
        await ground.demo.vendors["amdocs"].faults.set(FAULTS["refuse"]())
        await tab.until(f"String({PRESSED}) === 'Cut amdocs'")


async def test_axe_finds_nothing_serious_on_the_page_with_buttons(
    ground: Playground, browser: Browser, axe: str
) -> None:
    async with acting.watched(browser, ground.demo) as tab:
        await tab.until("!document.getElementById('extension').hidden")
        assert await judged(tab, axe) == []
