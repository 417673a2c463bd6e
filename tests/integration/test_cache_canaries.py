"""Redis, and whoever reads it, its disk or its traffic, learns nothing of anybody.

Two sidecars are driven through all that a cache does, on customers whose data are easy to find
again; then every name, every value and every write is searched, in any encoding.
"""

import asyncio
from base64 import b64decode, urlsafe_b64decode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

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

EVERYBODY = range(100)
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

    def text(self) -> bytes:
        spelled = [urlsafe_b64decode(one[len(PREFIX) :] + b"=") for one in self.names]
        return b"\n".join((*self.names, *spelled, *self.values, self.writes, self.disk))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dump(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Dump]:
    setup = Setup(shape="amdocs", data=kept_secret("amdocs"), ids=marked_ids(TENANT, "amdocs"))
    folder = tmp_path_factory.mktemp("canaries")
    cache = {**PATIENT_READS, "negative_ttl": "5m"}
    async with fleet(folder, setup=setup, cache=cache) as made:
        for option in ("aof-use-rdb-preamble no", "rdbcompression no", "appendonly yes"):
            made.redis.tell("CONFIG", "SET", *option.split())
        told, rings = await everything_there_is(made)
        yield await asyncio.to_thread(_dumped, made, told, rings)


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


def _dumped(made: Fleet, told: list[Reply], rings: list[Rings]) -> Dump:
    redis = made.redis
    names = frozenset(redis.tell("KEYS", "*"))
    assert {redis.tell("TYPE", name) for name in names} == {b"string"}
    values = tuple(redis.tell("MGET", *names))
    redis.tell("SAVE")
    writes = b"".join(one.read_bytes() for one in sorted(_files(redis.folder / "appendonlydir")))
    disk = (redis.folder / "dump.rdb").read_bytes()
    bodies = tuple(one.body for one in told if b"monthly_fee" in one.body)
    return Dump(names, values, writes, disk, bodies, tuple(rings))


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


async def test_there_is_something_to_search(dump: Dump) -> None:
    """Entries of three tenants and two questions, under old and new keys, and tombstones."""
    assert len(dump.names) > 3 * len(EVERYBODY)
    assert dump.writes.count(PREFIX) > len(dump.names)
    assert dump.disk.count(PREFIX) == len(dump.names)
    assert len(set(_fees(dump))) > 10


async def test_names_and_values_show_nothing_of_anybody_in_any_encoding(dump: Dump) -> None:
    text = dump.text()
    wanted = disguised(_personal(dump), shortest=SHORTEST)
    assert len(wanted) > 10_000
    assert {form for form in wanted if form in text} == set()


async def test_names_and_values_show_nothing_of_a_key(dump: Dump) -> None:
    text = dump.text()
    assert {form for form in disguised(_secrets(dump), shortest=SHORTEST) if form in text} == set()


async def test_the_search_finds_what_is_not_sealed(dump: Dump) -> None:
    wanted = disguised(_personal(dump), shortest=SHORTEST)
    fee = next(_fees(dump))
    for shown in (who(3).bytes, str(fee).encode(), f"x{MARK}x".encode("utf-16"), *dump.told[:1]):
        assert any(form in shown for form in wanted)


async def test_every_name_is_of_one_form_and_every_value_of_few_lengths(dump: Dump) -> None:
    """A length tells neither a plan nor that there is no such customer."""
    assert {len(name) for name in dump.names} == {48}
    assert all(name.startswith(PREFIX) for name in dump.names)
    entries = [value for value in dump.values if len(value) > 64]
    assert len({len(value) for value in entries}) == 1


async def test_nothing_is_sealed_twice_alike_and_no_nonce_twice(dump: Dump) -> None:
    entries = [value for value in dump.values if len(value) > 64]
    heads = [value[:33] for value in entries]
    assert len(set(heads)) == len(heads)


async def test_everything_that_is_kept_ends(dump: Dump) -> None:
    """No write leaves anything behind for longer than 300 s."""
    assert dump.writes.count(b"PXAT") >= len(dump.names)
