"""A bounded number of turns, for whom there is most often one at once."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """A semaphore that costs nearly nothing as long as nobody has to wait."""

    __slots__ = ("_free", "_waiting")

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Whether there was one for who does not want to wait. One that comes back goes to who
        waits, and is never free in between.
        """
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self, waited: Callable[[float], object]) -> None:
        """Takes the next one; `waited` is told the seconds, however it ends."""
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came in the same moment
                self.give_back()
            raise
        finally:
            waited(loop.time() - began)

    def give_back(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
