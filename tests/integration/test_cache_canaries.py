"""Redis, and whoever reads it, its disk or its traffic, learns nothing of anybody.

Two sidecars are driven through all that a cache does, on customers whose data are easy to find
again; then every name, every value and every write is searched, in any encoding.
"""

import asyncio
from base64 import b64decode, urlsafe_b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from proxy.cache.names import PREFIX
from tests.servers.canaries import MARK, kept_secret, marked_ids
from tests.servers.disguises import disguised, of_fee, of_text, of_uuid
from tests.servers.fleet import (
    CONNECTION,
    NEIGHBOUR,
    PATIENT_READS,
    STRANGER,
    TENANT,
    Fleet,
    Rings,
    fleet,
    who,
)
from tests.servers.sidecar import Reply
from tests.servers.vendors import Setup

EVERYBODY = range(40)
HEADER_BYTES = 33
SHORTEST = 6
"""Four bytes at random, or four of base64, are found in so much by chance."""
TENANTS = (TENANT, NEIGHBOUR, STRANGER)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True)
class Dump:
    names: frozenset[bytes]
    values: tuple[bytes, ...]
    writes: bytes
    """Every command by which something was written, whatever became of it."""
    disk: bytes
    """What a snapshot of its memory looks like."""
    told: tuple[bytes, ...]
    """What the sidecars said of single customers."""
    rings: tuple[Rings, ...]
    ttls_ms: tuple[int, ...]

    def entries(self) -> list[bytes]:
        """Without tombstones."""
        return [value for value in self.values if len(value) > HEADER_BYTES]

    def text(self) -> bytes:
        spelled = [urlsafe_b64decode(one[len(PREFIX) :] + b"=") for one in self.names]
        return b"\n".join((*self.names, *spelled, *self.values, self.writes, self.disk))


@asynccontextmanager
async def dumped(folder: Path) -> AsyncIterator[Dump]:
    setup = Setup(shape="amdocs", data=kept_secret("amdocs"), ids=marked_ids(TENANT, "amdocs"))
    cache = {**PATIENT_READS, "negative_ttl": "5m"}
    async with fleet(folder, setup=setup, cache=cache) as made:
        for option in ("aof-use-rdb-preamble no", "rdbcompression no", "appendonly yes"):
            made.redis.tell("CONFIG", "SET", *option.split())
        told, rings = await everything_there_is(made)
        yield await asyncio.to_thread(_dump_of, made, told, rings)


async def everything_there_is(made: Fleet) -> tuple[list[Reply], list[Rings]]:
    one, other = made.members
    told: list[Reply] = []
    for tenant in TENANTS:
        told += [await one.account(number, tenant) for number in EVERYBODY[:20]]
        for member in (one, other):
            told.append(await member.revenue(*EVERYBODY, tenant=tenant))
            told.append(await member.disputes(*EVERYBODY, tenant=tenant))
    fresh = Rings.new()
    turned = Rings((*fresh.master, *made.rings.master), (*fresh.names, *made.rings.names))
    for member in made.members:
        await member.turn(turned)
    for number in EVERYBODY[:10]:
        assert (await one.forget(number)).status == 204
    told.append(await other.revenue(*EVERYBODY))
    await made.until_at_rest()
    return told, [made.rings, turned]


def _dump_of(made: Fleet, told: list[Reply], rings: list[Rings]) -> Dump:
    redis = made.redis
    names = frozenset(redis.tell("KEYS", "*"))
    assert {redis.tell("TYPE", name) for name in names} == {b"string"}
    values = tuple(redis.tell("MGET", *names))
    redis.tell("SAVE")
    writes = b"".join(one.read_bytes() for one in sorted(_files(redis.folder / "appendonlydir")))
    disk = (redis.folder / "dump.rdb").read_bytes()
    bodies = tuple(one.body for one in told if b"monthly_fee" in one.body)
    ttls_ms = tuple(redis.tell("PTTL", name) for name in names)
    return Dump(names, values, writes, disk, bodies, tuple(rings), ttls_ms)


def _files(folder: Path) -> Iterator[Path]:
    return folder.glob("*.aof")


def _fees(dump: Dump) -> Iterator[Decimal]:
    for body in dump.told:
        fee = body.partition(b'"monthly_fee":')[2].partition(b",")[0].decode()
        if fee != "null":
            yield Decimal(fee).quantize(Decimal("0.01"))


def _personal(dump: Dump) -> Iterator[bytes]:
    for text in (MARK, "billing", "disputes", *TENANTS, CONNECTION):
        yield from of_text(text)
    for number in EVERYBODY:
        yield from of_uuid(who(number))
    for body in dump.told:
        account = body.partition(b'"account_id":"')[2].partition(b'"')[0].decode()
        if account:
            yield from of_uuid(UUID(account))
    for fee in _fees(dump):
        yield from of_fee(fee)


def _secrets(dump: Dump) -> Iterator[bytes]:
    for ring in dump.rings:
        for key in (*ring.master, *ring.names):
            yield from (key.encode(), b64decode(key))


async def test_a_dump_of_redis_shows_nothing_of_anybody_in_any_encoding(tmp_path: Path) -> None:
    async with dumped(tmp_path) as dump:
        there_is_something_to_search(dump)
        text, wanted = dump.text(), disguised(_personal(dump), shortest=SHORTEST)
        the_search_finds_what_is_not_sealed(dump, wanted)
        assert {form for form in wanted if form in text} == set()
        secrets = disguised(_secrets(dump), shortest=SHORTEST)
        assert {form for form in secrets if form in text} == set()
        every_name_is_of_one_form_and_every_entry_of_one_length(dump)
        nothing_is_sealed_under_the_same_nonce(dump)
        everything_that_is_kept_ends(dump)


def there_is_something_to_search(dump: Dump) -> None:
    """Entries of three tenants and two questions, under old and new keys, and tombstones."""
    assert len(dump.names) > 3 * len(EVERYBODY)
    assert dump.writes.count(PREFIX) > len(dump.names)
    assert dump.disk.count(PREFIX) == len(dump.names)
    assert len(set(_fees(dump))) > 10


def the_search_finds_what_is_not_sealed(dump: Dump, wanted: set[bytes]) -> None:
    assert len(wanted) > 5_000
    fee = next(_fees(dump))
    for shown in (who(3).bytes, str(fee).encode(), f"x{MARK}x".encode("utf-16"), *dump.told[:1]):
        assert any(form in shown for form in wanted)


def every_name_is_of_one_form_and_every_entry_of_one_length(dump: Dump) -> None:
    """A length tells neither a plan nor that there is no such customer."""
    assert {len(name) for name in dump.names} == {48}
    assert all(name.startswith(PREFIX) for name in dump.names)
    assert len({len(value) for value in dump.entries()}) == 1


def nothing_is_sealed_under_the_same_nonce(dump: Dump) -> None:
    heads = [value[:HEADER_BYTES] for value in dump.entries()]
    assert len(set(heads)) == len(heads)


def everything_that_is_kept_ends(dump: Dump) -> None:
    """Nothing has been written without its end."""
    assert dump.writes.count(b"\r\nSET\r\n") == dump.writes.count(b"\r\nPXAT\r\n")
    assert all(0 < ttl_ms <= 300_000 for ttl_ms in dump.ttls_ms)
