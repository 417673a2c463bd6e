"""How many exchanges of a connection are in flight, and who waits for one to end."""

import asyncio

from adapters.outcome import LookupFailed, Reason


class Slots:
    """A bounded number of slots before a bounded queue, first come, first served.

    A slot that comes back goes to the head of the queue alone and is never free in between, so
    nobody overtakes and nobody wakes in vain.
    """

    def __init__(self, size: int, *, queue_length: int) -> None:
        self._free = size
        self._size = size
        self._queue_length = queue_length
        self._queue: dict[asyncio.Future[None], None] = {}  # in order, and quick to leave

    @property
    def taken(self) -> int:
        return self._size - self._free

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def take(self, deadline: float) -> None:
        """One slot, to be given back.

        Raises `LookupFailed`: `overload` at once when the queue is full, `deadline` when the
        budget (`loop.time()`) ends first.
        """
        loop = asyncio.get_running_loop()
        if loop.time() >= deadline:
            raise LookupFailed(Reason.DEADLINE, "no budget left for an exchange")
        if self._free:
            self._free -= 1
            return
        if len(self._queue) >= self._queue_length:
            raise LookupFailed(Reason.OVERLOAD, "the queue of the connection is full")
        turn = loop.create_future()
        self._queue[turn] = None
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            self._leave(turn)
            if isinstance(error, TimeoutError):
                raise LookupFailed(
                    Reason.DEADLINE, "the queue was longer than the budget"
                ) from None
            raise

    def give_back(self) -> None:
        """To the head of the queue, or to whoever comes next."""
        while self._queue:
            turn = next(iter(self._queue))
            del self._queue[turn]
            if not turn.done():  # a waiter being cancelled has not left yet, and takes nothing
                turn.set_result(None)
                return
        self._free += 1

    def _leave(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.give_back()  # its slot came in the same moment as its end
        else:
            self._queue.pop(turn, None)
