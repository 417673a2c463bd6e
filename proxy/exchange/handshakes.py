"""Few TLS handshakes at once, so that each of them is over in time.

A handshake costs either side milliseconds of CPU. A hundred that begin together all take as long
as all of them together, and none meets its timeout; one after the other they would have been done.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

AT_ONCE = 32
"""On two cores they are all over within about 300 ms; of a hundred most are not."""


class Handshakes:
    """The turns of one session. Waiting for one is not the server's slowness: no connect timeout
    runs, and each who waits tells for how long.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turns = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def turn(self, waited: Callable[[float], object]) -> AsyncIterator[None]:
        """One at a time for each turn; `waited` is told the seconds, however it ends."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._turns.acquire()
        finally:
            waited(loop.time() - began)
        try:
            yield
        finally:
            self._turns.release()
