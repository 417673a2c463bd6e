"""Bytes of all kinds at the three listeners: nothing crashes, hangs or leaks."""

import asyncio
import os
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress

import pytest

from tests.fuzz.answers import Answer, NotHttpError, parsed
from tests.fuzz.requests import hostile, spoilt, valid
from tests.fuzz.target import WAIT_S, Address, Target

SEED = int(os.environ.get("SEED", "1"))  # noqa: TID251  (a test knob)
WAYS = [
    *(("open", listener) for listener in ("data", "ops", "admin")),
    *((kind, "data") for kind in ("token", "socket")),
]
each_way = pytest.mark.parametrize(("victim", "listener"), WAYS, indirect=["victim"])
PATHS = {"data": b"/v1/revenue-at-risk", "ops": b"/healthz", "admin": b"/v1/status"}
QUIET_S = 0.25
"""After so long, nothing more comes from a sidecar that waits for the rest of a request."""
AT_ONCE = 24
SPOILT = 60


async def opened(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(address.where, int):
        return await asyncio.open_connection("127.0.0.1", address.where)
    return await asyncio.open_unix_connection(address.where)


async def thrown(address: Address, pieces: Sequence[bytes]) -> tuple[bytes, bool]:
    """What comes back, and whether the sidecar hung up."""
    reader, writer = await opened(address)
    came = bytearray()
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        while True:
            # A body that does not come is waited for, as long as a batch may take.
            patience = QUIET_S if came else 2 * QUIET_S
            chunk = await asyncio.wait_for(reader.read(65_536), patience)
            if not chunk:
                return bytes(came), True
            came += chunk
    except TimeoutError:
        return bytes(came), False
    except ConnectionError:  # it was not read to its end
        return bytes(came), True
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def judged(address: Address, pieces: Sequence[bytes]) -> list[Answer]:
    content = b"".join(pieces)
    came, _ = await thrown(address, pieces)
    try:
        answers, rest = parsed(came, is_head=content.lstrip().startswith(b"HEAD"))
    except NotHttpError as error:
        raise AssertionError(f"{content[:900]!r} was answered {came[:900]!r}: {error}") from None
    assert rest == b"", f"{content[:900]!r} was answered {came[:900]!r}"
    return answers


async def all_judged(address: Address, cases: Iterable[Sequence[bytes]]) -> list[list[Answer]]:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(pieces: Sequence[bytes]) -> list[Answer]:
        async with free:
            return await judged(address, pieces)

    async with asyncio.timeout(WAIT_S * 20):
        return await asyncio.gather(*(one(pieces) for pieces in cases))


@each_way
async def test_what_is_hostile_is_refused_in_our_own_words(victim: Target, listener: str) -> None:
    cases = hostile(victim, PATHS[listener])
    answers = await all_judged(victim.addresses[listener], [[one] for one in cases.values()])
    told = dict(zip(cases, answers, strict=True))
    for name, given in told.items():
        assert all("smuggled" not in one.body.decode() for one in given), name
        assert not [one for one in given if one.status == 503], name
    for name in (
        "two lengths",
        "length and chunks",
        "chunks and length",
        "a strange coding",
        "a hidden coding",
        "a negative length",
        "a signed length",
        "a length with a line",
        "a long path",
        "a long field",
        "many fields",
        "NUL in a field",
        "a bare CR",
        "TLS",
    ):
        assert [one.status for one in told[name]] == [400], name
    await asyncio.to_thread(victim.check_unharmed)


@each_way
async def test_a_request_may_come_in_any_two_pieces(
    victim: Target, listener: str, plenty: int
) -> None:
    for request in valid(victim)[listener]:
        (whole,) = await judged(victim.addresses[listener], [request])
        places = range(1, len(request), 1 if plenty > 1 else 11)
        cases = [[request[:at], request[at:]] for at in places]
        for answers in await all_judged(victim.addresses[listener], cases):
            assert [one.status for one in answers] == [whole.status]


@each_way
async def test_a_request_may_come_byte_by_byte_and_many_at_once(
    victim: Target, listener: str
) -> None:
    requests = valid(victim)[listener]
    (whole,) = await judged(victim.addresses[listener], [requests[0]])
    drops = [requests[0][at : at + 1] for at in range(len(requests[0]))]
    (one,) = await judged(victim.addresses[listener], drops)
    assert one.status == whole.status
    many = await judged(victim.addresses[listener], [requests[0] * 200])
    assert [one.status for one in many] == [whole.status] * 200


@each_way
async def test_what_chance_has_spoilt_harms_nothing(
    victim: Target, listener: str, plenty: int
) -> None:
    dice = random.Random(f"{SEED} {listener}")
    cases = [[one] for one in spoilt(dice, valid(victim)[listener], SPOILT * plenty)]
    answers = await all_judged(victim.addresses[listener], cases)
    assert any(answers)
    await asyncio.to_thread(victim.check_unharmed)
