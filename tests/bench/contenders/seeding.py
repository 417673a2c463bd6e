"""The bare handler with the same answers in Redis as the sidecar gives, and what is asked of it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from tests.bench.contenders.bare import NONCE_BYTES, seal
from tests.bench.load import Ask
from tests.bench.processes import Program
from tests.bench.stage import PYTHON, Stage
from tests.bench.vendor_rows import customer, fee
from tests.servers.redis import RedisServer

CUSTOMERS = 200
_PLAN = "Fibre 500 of line"


@dataclass(frozen=True, slots=True)
class BareUnderMeasure:
    program: Program
    port: int

    @property
    def fixed(self) -> list[Ask]:
        return [Ask.get(f"/fixed/{one}", holds=b'"monthly_fee"') for one in customers()]

    @property
    def get(self) -> list[Ask]:
        return [
            Ask.get(f"/get/{customer(n)}", holds=b'"monthly_fee":%b' % _amount(n))
            for n in range(CUSTOMERS)
        ]

    @property
    def mget(self) -> list[Ask]:
        total = float(sum(fee(n) for n in range(CUSTOMERS)))
        holds = f'"total_revenue_at_risk": {total}'.encode()
        return [Ask.post("/mget", {"customer_ids": customers()}, holds=holds)]


async def bare(stage: Stage, server: RedisServer) -> BareUnderMeasure:
    """It runs, on the server's core, and what it is asked for is in Redis."""
    key = os.urandom(32)
    folder = stage.folder
    (folder / "bare-key").write_bytes(key)
    (folder / "bare-body").write_bytes(answer(0))
    with redis.Redis.from_url(server.url) as client, client.pipeline() as writes:
        for n, one in enumerate(customers()):
            sealed = seal(key, one, _entry(n), os.urandom(NONCE_BYTES))
            writes.set(f"plain:{one}", answer(n)).set(f"bare:{one}", sealed)
        writes.execute()
    command = [*PYTHON, "tests.bench.contenders.bare", "--redis", server.url]
    command += ["--body", str(folder / "bare-body"), "--key", str(folder / "bare-key")]
    program = await stage.program("bare", command)
    said = await program.until(lambda text: "\n" in text)
    return BareUnderMeasure(program, json.loads(said.splitlines()[0])["port"])


def customers() -> Sequence[str]:
    return [str(customer(n)) for n in range(CUSTOMERS)]


def answer(n: int) -> bytes:
    """As the sidecar answers about customer `n`, in shape and size."""
    told = (
        b'{"customer_id":"%b","account_id":"%b","plan_name":"%b %08d",'
        b'"monthly_fee":%b,"currency":"GBP"}'
    )
    one = str(customer(n)).encode()
    return told % (one, one, _PLAN.encode(), 10_000_000 + n, _amount(n))


def _entry(n: int) -> bytes:
    """The fee as text, which adds up exactly, and the answer."""
    return str(fee(n)).encode() + b"\n" + answer(n)


def _amount(n: int) -> bytes:
    return str(float(fee(n))).encode()
