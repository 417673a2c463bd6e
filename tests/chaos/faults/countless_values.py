"""A query went wrong at the vendor, and the answer is below the cap on its size, yet consists of
a million empty rows, which cost whoever reads them seconds. The pretend vendor answers so to all
questions for data, compressed to a few kilobytes. They are counted before they are read: the pod is
told `bad_response`, and soon `breaker_open`, and nobody else's question is kept waiting.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import Saying
from tests.chaos.world import Lane

_ROWS = 1_000_000


class CountlessValues(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        body = await asyncio.to_thread(_compressed)  # made once
        async with lane.answering(Saying(body=body, content_encoding="gzip")):
            yield


@cache
def _compressed() -> bytes:
    return gzip.compress(b"[" + b"{}," * _ROWS + b"{}]", compresslevel=1)
