"""How many are asked at once, and who waits for one of them to be done."""

import asyncio
from dataclasses import dataclass

from adapters.call import Call
from adapters.outcome import NotAsked, Reason
from proxy.guard.fair_queue import FairQueue

RESERVED_OF = 16
"""One slot in so many is never a batch's."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Of one who waits."""

    is_batch: bool
    comes: asyncio.Future[bool]
    """True brings a slot; false means that the place in the queue is gone."""


class Slots:
    """A bounded number of slots before a bounded queue that is fair.

    Nobody waits who could have a slot. One that comes back goes to who is next alone and is never
    free in between, so nobody overtakes and nobody wakes in vain.
    """

    def __init__(self, size: int, *, queue_length: int) -> None:
        self._size = size
        self._taken = {False: 0, True: 0}  # by `is_batch`
        self._queue: FairQueue[Turn] = FairQueue(queue_length)

    @property
    def size(self) -> int:
        return self._size

    @property
    def taken(self) -> int:
        """May be more than `size` for a while after that was lowered."""
        return self._taken[False] + self._taken[True]

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def has_room(self) -> bool:
        """Whether a slot is free beside the reserve, and nobody waits."""
        return not self._queue and self.taken < self._size - self._reserve

    @property
    def _reserve(self) -> int:
        """Slots that batches leave free, so that a question about one customer finds one soon."""
        return max(1, self._size // RESERVED_OF) if self._size > 1 else 0

    async def take(self, call: Call) -> None:
        """One slot, to be given back.

        Raises `NotAsked`: `overload` at once when the queue is full, or as soon as a place in it is
        due to somebody else; `deadline` when the budget ends first.
        """
        if call.deadline <= asyncio.get_running_loop().time():
            raise NotAsked(Reason.DEADLINE, "no budget left for an exchange")
        if self._is_free(is_batch=call.is_batch):
            self._taken[call.is_batch] += 1
            return
        turn = self._queued(call)
        try:
            async with call.budget.timer():
                has_slot = await turn.comes
        except BaseException as error:
            self._leave(turn, call)
            if isinstance(error, TimeoutError):
                raise NotAsked(Reason.DEADLINE, "the queue was longer than the budget") from None
            raise
        if not has_slot:
            raise NotAsked(Reason.OVERLOAD, "others had a better right to a place in the queue")

    def give_back(self, call: Call) -> None:
        self._taken[call.is_batch] -= 1
        self._admit()

    def resize(self, size: int) -> None:
        """More slots are there at once; fewer, as they come back."""
        self._size = size
        self._admit()

    def _is_free(self, *, is_batch: bool) -> bool:
        if self.taken >= self._size:
            return False
        return not is_batch or self._taken[True] < self._size - self._reserve

    def _queued(self, call: Call) -> Turn:
        turn = Turn(call.is_batch, asyncio.get_running_loop().create_future())
        evicted = self._queue.push(turn, call.tenant, is_batch=call.is_batch)
        if evicted is turn:
            raise NotAsked(Reason.OVERLOAD, "the queue of the connection is full")
        if evicted and not evicted.comes.done():
            evicted.comes.set_result(False)
        return turn

    def _admit(self) -> None:
        """Slots that are free to who is next."""
        if not self._queue:
            return
        while self._is_free(is_batch=False):
            turn = self._queue.pop(batch_too=self._is_free(is_batch=True))
            if turn is None:
                return
            if not turn.comes.done():  # one being cancelled has not left yet, and takes nothing
                self._taken[turn.is_batch] += 1
                turn.comes.set_result(True)

    def _leave(self, turn: Turn, call: Call) -> None:
        """A slot that came in the same moment as the end is not lost."""
        self._queue.remove(turn, call.tenant, is_batch=call.is_batch)
        if turn.comes.done() and not turn.comes.cancelled() and turn.comes.result():
            self.give_back(call)
