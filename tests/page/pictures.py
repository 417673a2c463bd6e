"""The pictures of the documentation, taken of a demo that runs (`make demo KEEP=1`).

python -P -m tests.page.pictures docs/images

Leave it to the pretend pod for a few minutes before; it cuts a vendor, and restores it.
"""

import asyncio
import sys
from pathlib import Path

from tests.page import acting
from tests.page.chromium import Tab, chromium

PAGE = "http://127.0.0.1:8652/"
VICTIM = "cerillion"
CUT_FOR_S = 25.0
PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 100)))"


async def take(folder: Path) -> None:
    async with chromium() as browser, browser.tab() as tab:
        await tab.open(PAGE)
        await tab.until(f"{acting.LIVE} && !document.getElementById('extension').hidden")
        await tab.run(PAINTED)
        await tab.picture(folder / "status-light.png")
        await tab.look(dark=True)
        await tab.run(PAINTED)
        await tab.picture(folder / "status-dark.png")
        await tab.look()
        await press(tab, "Cut")
        try:
            await tab.until(f"document.querySelector('h1').innerText === '{VICTIM} is broken'")
            await asyncio.sleep(CUT_FOR_S)
            await tab.picture(folder / "status-cut.png")
        finally:
            await press(tab, "Restore")


async def press(tab: Tab, name: str) -> None:
    label = f'[aria-label="{name} {VICTIM}"]'
    await tab.run(f"document.querySelector('{label}').click()")
    await tab.until(f"/ {VICTIM} is /.test(document.querySelector('#extension').innerText)")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
