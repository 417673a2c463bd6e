"""What the sidecar adds to a call: the same questions through it, and straight to the vendor.

Both sides speak mutual TLS to the same pretend vendor, in turn (A B A B …), in one run, so that
only their ratio counts on a machine that others use as well. The direct side does less than the
sidecar: it asks for the products, and neither prices nor checks them.
"""

import asyncio
import ssl
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from adapters.simulator.population import customer_id, vendor_id
from adapters.simulator.shapes import BASE_PATHS, TOKEN_PATHS
from proxy.demo.children import children
from proxy.demo.questions import Pod
from proxy.demo.screen import Cell, Screen, milliseconds
from proxy.demo.stage import CLIENT_ID, LATENCY, Ports, Stage

SHAPE, TENANT = "amdocs", "amdocs_demo"
BATCH, IN_FLIGHT = 200, 32
ROUNDS_SINGLE, ROUNDS_BATCH = 150, 15

Ask = Callable[[int], Awaitable[None]]


class Direct:
    """Calls from the pod straight to the vendor, with a token that is already there."""

    def __init__(self, session: aiohttp.ClientSession, root: str, token: str) -> None:
        self._session = session
        self._url = f"{root}{BASE_PATHS[SHAPE]}product"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    async def single(self, n: int) -> None:
        query = {"relatedParty.id": vendor_id(SHAPE, n % 7)}
        async with (
            self._slots,
            self._session.get(self._url, params=query, headers=self._headers) as reply,
        ):
            assert reply.status in (200, 206)
            await reply.json()

    async def batch(self, _n: int) -> None:
        await asyncio.gather(*(self.single(n) for n in range(BATCH)))


async def main() -> None:
    screen = Screen()
    screen.title(f"The sidecar beside direct calls; the vendor thinks for {LATENCY} a request")
    with tempfile.TemporaryDirectory(prefix="bss-bench-") as name:
        folder = Path(name)
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            children(folder) as family,
        ):
            stage = Stage(folder, Ports.free(), family, session)
            await stage.prepare(datetime.now(tz=UTC))  # noqa: TID251  (an edge)
            await stage.start_vendors()
            await stage.start_sidecar()
            await _compare(screen, stage)


async def _compare(screen: Screen, stage: Stage) -> None:
    tls = ssl.create_default_context(cafile=str(stage.folder / "ca.pem"))
    tls.load_cert_chain(stage.folder / "client.pem", stage.folder / "client.key")
    connector = aiohttp.TCPConnector(ssl=tls, limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        root = f"https://localhost:{stage.ports.vendors[SHAPE]}"
        direct = Direct(session, root, await _token(session, stage, root))
        pod = Pod(stage.session, stage.data_url)
        customers = [customer_id(TENANT, n) for n in range(BATCH)]

        async def one(n: int) -> None:
            assert (await pod.account(TENANT, customers[n % 7])).status == 200

        async def many(_n: int) -> None:
            assert (await pod.revenue(TENANT, customers)).degraded is None

        screen.table(
            ["", "sidecar p50", "p95", "direct p50", "p95", "ratio of p50"],
            [
                await _row("one customer", one, direct.single, ROUNDS_SINGLE),
                await _row(f"{BATCH} customers", many, direct.batch, ROUNDS_BATCH),
            ],
        )


async def _row(what: str, through: Ask, straight: Ask, rounds: int) -> list[Cell]:
    await through(0)  # both sides open their connections first
    await straight(0)
    pairs = [(await _timed(through, n), await _timed(straight, n)) for n in range(rounds)]
    ours, theirs = (sorted(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ours) / statistics.median(theirs)
    figures = [
        milliseconds(figure)
        for side in (ours, theirs)
        for figure in (statistics.median(side), side[int(len(side) * 0.95)])
    ]
    return [Cell(what), *(Cell(text, right=True) for text in (*figures, f"{ratio:.2f} ×"))]


async def _timed(ask: Ask, n: int) -> float:
    clock = asyncio.get_running_loop().time
    began = clock()
    await ask(n)
    return clock() - began


async def _token(session: aiohttp.ClientSession, stage: Stage, root: str) -> str:
    secret = (stage.folder / f"{SHAPE}-secret").read_text(encoding="utf-8")
    async with session.post(
        root + TOKEN_PATHS[SHAPE],
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": secret,
        },
    ) as reply:
        return str((await reply.json())["access_token"])


if __name__ == "__main__":
    asyncio.run(main())
