"""One customer of whom nothing is kept: through a sidecar, and straight from the vendor, in turn.

    python -m tests.bench.asking_miss < JSON

takes one line of JSON for each `Pairs`, and answers it with the milliseconds of both sides, and
who got no answer. Both use aiohttp, one connection each, one question at a time.
"""

import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass

import aiohttp

from tests.bench.vendor import TOKEN
from tests.bench.vendor_rows import customer, vendor_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """So many customers from `first` on, each asked about at both."""

    url: str
    vendor_url: str
    tenant: str
    folder: str
    """With the certificates."""
    first: int
    count: int


async def main() -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        direct: aiohttp.ClientSession | None = None
        while line := await asyncio.to_thread(sys.stdin.readline):
            pairs = Pairs(**json.loads(line))
            direct = direct or _direct(pairs)
            told = await _asked(pairs, session, direct)
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        if direct is not None:
            await direct.close()


async def _asked(
    pairs: Pairs, session: aiohttp.ClientSession, direct: aiohttp.ClientSession
) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {"through": [], "direct": [], "unanswered": []}
    for n in range(pairs.first, pairs.first + pairs.count):
        through = f"{pairs.url}/v1/customers/{customer(n)}/billing-account"
        tenant = {"X-Tenant-ID": pairs.tenant}
        straight = f"{pairs.vendor_url}/product?relatedParty.id={vendor_id(n)}"
        ours = await _timed(session, through, tenant)
        theirs = await _timed(direct, straight, {"Authorization": f"Bearer {TOKEN}"})
        if ours is None or theirs is None:
            took["unanswered"].append(n)
        else:
            took["through"].append(ours)
            took["direct"].append(theirs)
    return took


async def _timed(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> float | None:
    """Milliseconds; `None` where there was no answer in time, which is quicker than one."""
    began = time.perf_counter()
    async with session.get(url, headers=headers) as reply:
        await reply.json(content_type=None)
        if reply.status == 503:
            return None
        if reply.status != 200:
            raise SystemExit(f"status {reply.status}: what it took means nothing")
    return (time.perf_counter() - began) * 1_000


def _direct(pairs: Pairs) -> aiohttp.ClientSession:
    tls = ssl.create_default_context(cafile=f"{pairs.folder}/ca.pem")
    tls.load_cert_chain(f"{pairs.folder}/client.pem", f"{pairs.folder}/client.key")
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=1))


if __name__ == "__main__":
    asyncio.run(main())
