"""A real Chromium over its DevTools protocol: what a person sees, presses and is told."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.page.keys import KEYS

START_S = 30.0
END_S = 10.0
LOOK_S = 0.05
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def executable() -> str | None:
    """Where Chromium is; `None`: it is not here."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class Driver:
    """The browser's side of the wire."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.hears: list[Callable[[dict[str, Any]], None]] = []

    async def listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" not in said:
                for hear in self.hears:
                    hear(said)
            elif not (waiting := self._waiting.pop(said["id"])).done():
                waiting.set_result(said)

    async def do(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        asked = {"id": number, "method": method, "params": params}
        await self._socket.send_json(asked | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(START_S):
            said = await waiting
        if "error" in said:
            raise AssertionError(f"{method}: {said['error']['message']}")
        result: dict[str, Any] = said["result"]
        return result


@dataclass(eq=False)
class Tab:
    """One page, and all that it said and asked for."""

    driver: Driver
    session: str
    target: str
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, and what its policy kept it from."""
    asked: list[str] = field(default_factory=list)
    """URLs of its requests."""
    has_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, said: dict[str, Any]) -> None:
        if said.get("sessionId") != self.session:
            return
        params = said["params"]
        match said["method"]:
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
                self.has_asked.set()
            case "Runtime.exceptionThrown":
                thrown = params["exceptionDetails"]
                self.complaints.append(thrown.get("exception", thrown).get("description", "thrown"))
            case "Log.entryAdded" if params["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning", "assert"}:
                self.complaints.append(str(params["args"]))

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.driver.do(method, self.session, **params)

    async def open(self, url: str) -> None:
        await self.do("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        said = await self.do(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if thrown := said.get("exceptionDetails"):
            raise AssertionError(thrown.get("exception", thrown).get("description", str(thrown)))
        return said["result"].get("value")

    async def until(self, script: str, *, within_s: float = 30.0) -> Any:
        """The first value of the expression that is true, looked for again and again."""
        value = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    with suppress(AssertionError):  # while a page is loaded there is none to ask
                        value = await self.run(script)
                    if value:
                        return value
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            text = await self.run("document.body?.innerText")
            raise AssertionError(f"not within {within_s} s: {script}\n{text}") from None

    async def more_requests(self, number: int, *, within_s: float = 30.0) -> None:
        """Waits until it has asked for so much more."""
        async with asyncio.timeout(within_s):
            for _ in range(number):
                self.has_asked.clear()
                await self.has_asked.wait()

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, **KEYS[key])

    async def look(self, *, dark: bool = False, width: int = 1280, height: int = 720) -> None:
        """As on a screen of that size, in that colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.do("Emulation.setEmulatedMedia", features=[scheme])
        await self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def picture(self, path: Path) -> None:
        shot = await self.do("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


class Browser:
    """One process of Chromium."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """A new one, of which nothing is in another's cookies or cache."""
        context = (await self._driver.do("Target.createBrowserContext"))["browserContextId"]
        made = await self._driver.do(
            "Target.createTarget", url="about:blank", browserContextId=context
        )
        target = made["targetId"]
        attached = await self._driver.do("Target.attachToTarget", targetId=target, flatten=True)
        tab = Tab(self._driver, attached["sessionId"], target)
        self._driver.hears.append(tab.hear)
        try:
            for domain in ("Page", "Runtime", "Log", "Network"):
                await tab.do(f"{domain}.enable")
            await tab.look()
            yield tab
        finally:
            self._driver.hears.remove(tab.hear)
            await self._driver.do("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """Started with a profile of its own, and ended."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(str(executable()), *_FLAGS, f"--user-data-dir={profile}", *flags, "about:blank"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={"HOME": profile, "PATH": "/usr/bin:/bin", "TMPDIR": profile},
        )
        try:
            address = await _address(Path(profile) / "DevToolsActivePort", process)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                driver = Driver(socket)
                listening = asyncio.get_running_loop().create_task(driver.listen())
                try:
                    yield Browser(driver)
                finally:
                    listening.cancel()
        finally:
            await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Nothing of it is kept, so what does not end by itself is killed."""
    for end in (process.terminate, process.kill):
        with suppress(ProcessLookupError):
            end()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.wait()
                return


async def _address(file: Path, process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            lines = await asyncio.to_thread(_lines, file)
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(LOOK_S)
    raise AssertionError(f"Chromium ended with status {process.returncode}")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
