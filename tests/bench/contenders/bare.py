"""The least that an aiohttp handler can do: what the sidecar's own work is held against.

    python -m tests.bench.contenders.bare --body FILE --redis URL --key FILE

prints `{"port": …}` once it listens at a port of loopback, as the sidecar's data listener does: one
process, one loop, no access log. It checks nothing, counts nothing, logs nothing.

| request | does |
|---|---|
| `GET /fixed/{customer}` | answers with the bytes of `--body` |
| `GET /get/{customer}` | answers with what one GET of redis-py (asyncio, hiredis) finds |
| `POST /mget` `{"customer_ids": […]}` | one MGET of them all; unseals each (AES-256-GCM), adds up |

An entry of `/mget` is a nonce of 12 bytes and, sealed with its name as associated data, the fee in
a line of its own, before the JSON of one answer: as many bytes as the sidecar opens, and no JSON to
read.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis.asyncio import BlockingConnectionPool, Redis

NONCE_BYTES = 12
CONNECTIONS = 4
"""To Redis: as many as the sidecar's default."""


def entry_name(customer: str) -> bytes:
    return b"bare:" + customer.encode()


def seal(key: bytes, customer: str, answer: bytes, nonce: bytes) -> bytes:
    return nonce + AESGCM(key).encrypt(nonce, answer, entry_name(customer))


class Bare:
    """The handlers."""

    def __init__(self, body: bytes, redis: Redis, key: bytes) -> None:
        self._body = body
        self._redis = redis
        self._sealed = AESGCM(key)

    async def fixed(self, request: web.Request) -> web.Response:
        return web.Response(body=self._body, content_type="application/json")

    async def get(self, request: web.Request) -> web.Response:
        body = await self._redis.get(b"plain:" + request.match_info["customer"].encode())
        return web.Response(body=body, content_type="application/json")

    async def mget(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())["customer_ids"]
        names = [entry_name(one) for one in asked]
        total, priced = Decimal(0), 0
        entries: list[bytes] = await self._redis.mget(names)  # type: ignore[assignment]  # all are there, and nothing is decoded
        for name, entry in zip(names, entries, strict=True):
            plain = self._sealed.decrypt(entry[:NONCE_BYTES], entry[NONCE_BYTES:], name)
            total += Decimal(plain[: plain.index(b"\n")].decode())
            priced += 1
        told = {"total_revenue_at_risk": float(total), "priced_customer_count": priced}
        return web.Response(text=json.dumps(told), content_type="application/json")


async def serve(bare: Bare) -> None:
    """For ever."""
    application = web.Application()
    application.router.add_get("/fixed/{customer}", bare.fixed)
    application.router.add_get("/get/{customer}", bare.get)
    application.router.add_post("/mget", bare.mget)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _main(asked: argparse.Namespace) -> None:
    pool = BlockingConnectionPool.from_url(asked.redis, max_connections=CONNECTIONS)
    async with Redis(connection_pool=pool) as redis:
        await serve(Bare(asked.body.read_bytes(), redis, asked.key.read_bytes()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.contenders.bare")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--key", type=Path, required=True)
    asyncio.run(_main(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
