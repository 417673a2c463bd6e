"""A server that is no Redis, or one that says what it likes."""

import traceback
from collections.abc import Awaitable, Sequence

import pytest

from proxy.cache.redis_client import Login
from proxy.cache.store import Put, Store, StoreFacts, StoreFailed
from tests.integration.storing import HASTY_S, LONG_S, NAMES, failure_of, opened
from tests.servers.redis import LyingRedis, lying_redis
from tests.servers.redis_kinds import Kind
from tests.servers.stopwatch import lateness

LIES = {
    "nothing RESP knows": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an error with a secret in it": b"-ERR canary-7f3a\r\n",
    "another type": b":1\r\n",
    "too few": b"*1\r\n$1\r\na\r\n",
    "types that are no bytes": b"*2\r\n:1\r\n%1\r\n$1\r\na\r\n$1\r\nb\r\n",
    "nested for ever": b"*1\r\n" * 64,
    "a huge list": b"*1000000000\r\n$1\r\na\r\n",
    "a huge list inside": b"*2\r\n*900000000\r\n",
    "a huge value": b"$536870912\r\n" + b"x" * 65_536,
    "a map whose keys are lists": b"%1\r\n*1\r\n:1\r\n:1\r\n",
    "pushed messages without end": b">2\r\n$7\r\nmessage\r\n$1\r\na\r\n" * 3_000,
    "a line without an end": b"+" * 100_000,
    "a number as long as a book": b"(" + b"9" * 50_000 + b"\r\n",
    "two answers": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n",
}
GREETING = [True, False]


@pytest.mark.parametrize("greets", GREETING, ids=["after its greeting", "from the first byte on"])
@pytest.mark.parametrize("says", LIES.values(), ids=LIES)
@pytest.mark.parametrize("cluster", [False, True], ids=["one", "cluster"])
async def test_a_redis_that_lies_fails_in_our_words(
    says: bytes, *, greets: bool, cluster: bool
) -> None:
    """It answers bytes that no seal fits, or fails; it holds up nobody, and says nothing."""
    async with lying_redis(says, greets=greets) as liar:
        kind = Kind("liar", {"url": liar.url, "cluster": cluster})
        async with opened(kind, timeout_s=HASTY_S) as store:
            with lateness() as late_s:
                for _ in range(3):
                    await _told_nothing(store)
            assert late_s() < 0.5


async def _told_nothing(store: Store) -> None:
    works: Sequence[Awaitable[object]] = (
        store.get_many(NAMES[:2]),
        store.put_many([Put(NAMES[0], b"1", LONG_S, [b"bss1:stone"])]),
        store.forget(NAMES[:1], [b"bss1:stone"], LONG_S),
        store.facts(),
    )
    for work in works:
        said: object = None
        try:
            said = await work
        except StoreFailed as failure:
            told = "".join(traceback.format_exception(failure))
        else:
            told = repr(said) if isinstance(said, StoreFacts) else ""
        assert "canary" not in told
        if isinstance(said, list):
            assert len(said) == 2
            assert {type(one) for one in said} <= {bytes, type(None)}


async def test_nothing_is_tried_twice() -> None:
    def hang_up(_asked: bytes) -> bytes:
        raise ConnectionAbortedError

    async with lying_redis(answers=hang_up) as liar, opened(_lying(liar)) as store:
        for asked in range(1, 4):
            assert await failure_of(store.get_many(NAMES)) == "refused"
            assert liar.callers == asked


def _lying(liar: LyingRedis) -> Kind:
    return Kind("liar", {"url": liar.url})


async def test_a_connection_whose_greeting_made_no_sense_is_not_used() -> None:
    """It would be one that nobody has logged in on."""
    async with lying_redis(b"*0\r\n", greets=False) as liar:
        kind = Kind("liar", {"url": liar.url}, Login(password="secret"))
        async with opened(kind) as store:
            for asked in range(1, 4):
                assert await failure_of(store.get_many(NAMES)) == "protocol"
                assert liar.callers == asked


async def test_an_answer_too_many_of_a_node_is_nobodys() -> None:
    """The next who asks on that connection would get it, and everybody after that another's."""

    def answer(asked: bytes) -> bytes:
        if b"CLUSTER" in asked:
            return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % port
        name = asked.split(b"\r\n")[4]
        return b"$%d\r\n%s\r\n" % (len(name), name) + b"$5\r\nextra\r\n"

    async with lying_redis(answers=answer) as liar:
        port = liar.port
        async with opened(Kind("liar", {"url": liar.url, "cluster": True})) as store:
            for name in NAMES[:5]:
                assert list(await store.get_many([name])) == [name]
