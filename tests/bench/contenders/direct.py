"""A pod that asks the vendor by itself, over mutual TLS, with httpx or aiohttp.

    python -m tests.bench.contenders.direct httpx --certificates FOLDER --url URL --token TOKEN

takes lines of JSON, `{"in_flight": 16, "seconds": 1.0, "customers": 200}`, and answers each with
one: `cpu_us` per request of this process, `p50_ms`, `p99_ms`, `per_s`, as `Stage.burst` tells them.
The connections are opened before the first, and kept. Each answer's JSON is read: a pod would.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.load import Kind

KINDS = ("httpx", "aiohttp")
LIMIT = 64
"""Connections at most."""
_FIRST_ID = 10_000_000

Ask: TypeAlias = Callable[[str], Awaitable[Any]]
"""Takes the vendor's id of a customer; gives what the JSON says. Raises for another status."""


@asynccontextmanager
async def through_httpx(
    tls: ssl.SSLContext, url: str, headers: Mapping[str, str]
) -> AsyncIterator[Ask]:
    import httpx  # noqa: PLC0415  (only this way needs it)

    limits = httpx.Limits(
        max_connections=LIMIT, max_keepalive_connections=LIMIT, keepalive_expiry=None
    )
    async with httpx.AsyncClient(verify=tls, headers=dict(headers), limits=limits) as client:

        async def ask(customer: str) -> Any:
            reply = await client.get(url, params={"relatedParty.id": customer})
            reply.raise_for_status()
            return reply.json()

        yield ask


@asynccontextmanager
async def through_aiohttp(
    tls: ssl.SSLContext, url: str, headers: Mapping[str, str]
) -> AsyncIterator[Ask]:
    import aiohttp  # noqa: PLC0415  (only this way needs it)

    connector = aiohttp.TCPConnector(ssl=tls, limit=LIMIT)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def ask(customer: str) -> Any:
            async with session.get(url, params={"relatedParty.id": customer}) as reply:
                reply.raise_for_status()
                return await reply.json()

        yield ask


async def burst(ask: Ask, *, in_flight: int, seconds: float, customers: int) -> Mapping[str, float]:
    """Each of `in_flight` asks again as soon as it is answered."""
    clock = asyncio.get_running_loop().time
    latencies: list[float] = []
    began, spent_s = clock(), time.process_time()
    turn = iter(range(sys.maxsize))

    async def keep_asking() -> None:
        while (asked_at := clock()) < began + seconds:
            rows = await ask(str(_FIRST_ID + next(turn) % customers))
            assert rows
            latencies.append(clock() - asked_at)

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(keep_asking())
    seen, wall_s = Kind.of(latencies), clock() - began
    return {
        "cpu_us": (time.process_time() - spent_s) / seen.count * 1e6,
        "p50_ms": seen.p50_ms,
        "p99_ms": seen.p99_ms,
        "per_s": seen.count / wall_s,
    }


async def _main(asked: argparse.Namespace) -> None:
    tls = ssl.create_default_context(cafile=str(asked.certificates / "ca.pem"))
    tls.load_cert_chain(asked.certificates / "client.pem", asked.certificates / "client.key")
    through = {"httpx": through_httpx, "aiohttp": through_aiohttp}[asked.kind]
    async with through(tls, asked.url, {"Authorization": f"Bearer {asked.token}"}) as ask:
        while line := await asyncio.to_thread(sys.stdin.readline):
            wanted = json.loads(line)
            await burst(ask, **{**wanted, "seconds": 0.1})
            sys.stdout.write(json.dumps(await burst(ask, **wanted)) + "\n")
            sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.contenders.direct")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    asyncio.run(_main(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
