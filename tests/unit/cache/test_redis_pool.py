"""The pool stands on names of redis-py that are not public: a connection given back is free."""

import asyncio

from redis.exceptions import ConnectionError as Unreachable

from config import settings
from proxy.cache.redis_client import Login, pool
from tests.unit.cache.caching import turns

NOBODY = "redis://127.0.0.1:1/0"


async def test_a_connection_that_is_given_back_is_handed_out_again() -> None:
    made = pool(settings.Redis(url=NOBODY, connections=1), Login(), timeout_s=5)
    taken = made.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py's is not typed
    await made.release(taken)
    assert made.get_available_connection() is taken  # type: ignore[no-untyped-call]  # as above


async def test_who_waits_for_a_connection_gets_the_one_that_is_given_back() -> None:
    made = pool(settings.Redis(url=NOBODY, connections=1), Login(), timeout_s=5)
    taken = made.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py's is not typed
    waiting = asyncio.gather(made.get_connection(), return_exceptions=True)  # type: ignore[no-untyped-call]  # as above
    await turns()
    assert not waiting.done()
    await made.release(taken)
    async with asyncio.timeout(2):
        (outcome,) = await waiting
    assert isinstance(outcome, Unreachable), "it was tried, and nobody is there"
    await made.aclose()
