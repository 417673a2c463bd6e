"""Who is next, and who has to go when there is no more room."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")

Line = dict[Waiter, None]
"""Who waits, in order of arrival, and quick to leave from anywhere."""


@dataclass(slots=True)
class Desk(Generic[Waiter]):
    """The two lines of one tenant."""

    lines: dict[bool, Line[Waiter]] = field(default_factory=lambda: {False: {}, True: {}})
    """By `is_batch`."""
    batch_is_next: bool = False

    def __len__(self) -> int:
        return len(self.lines[False]) + len(self.lines[True])

    def next(self, *, batch_too: bool) -> bool | None:
        """The line whose turn it is; `None` when nobody here may be served."""
        order = (self.batch_is_next, not self.batch_is_next)
        return next((one for one in order if self.lines[one] and (batch_too or not one)), None)


class FairQueue(Generic[Waiter]):
    """Tenants in turn; of each tenant single and batch in turn; of these who came first.

    So however much one tenant asks, or one batch, each of the others is next after one turn.
    A tenant takes memory only while somebody of it waits.
    """

    def __init__(self, length: int) -> None:
        """`length`: of all lines together, at most."""
        self._length = length
        self._waiting = {False: 0, True: 0}
        self._desks: dict[str, Desk[Waiter]] = {}  # whose turn it is comes first

    def __len__(self) -> int:
        return self._waiting[False] + self._waiting[True]

    def push(self, waiter: Waiter, tenant: str, *, is_batch: bool) -> Waiter | None:
        """To the end of its line. Gives back who must go for it, which is itself if nobody else.

        That is the last one of the longest line, of the tenant with most in the queue: whoever has
        less than a fair share of the queue gets into it, however full it is.
        """
        evicted = None
        if len(self) >= self._length:
            longest = self._longest(tenant, is_batch=is_batch)
            if longest is None:
                return waiter
            evicted = next(reversed(self._desks[longest[0]].lines[longest[1]]))
            self.remove(evicted, longest[0], is_batch=longest[1])
        self._desks.setdefault(tenant, Desk()).lines[is_batch][waiter] = None
        self._waiting[is_batch] += 1
        return evicted

    def pop(self, *, batch_too: bool) -> Waiter | None:
        """Who is next; `None` when nobody waits, or only batches and these may not."""
        if not self._waiting[False] and not (batch_too and self._waiting[True]):
            return None
        for tenant, desk in self._desks.items():
            is_batch = desk.next(batch_too=batch_too)
            if is_batch is not None:
                waiter = next(iter(desk.lines[is_batch]))
                self.remove(waiter, tenant, is_batch=is_batch)
                desk.batch_is_next = not is_batch
                if desk:
                    self._desks[tenant] = self._desks.pop(tenant)
                return waiter
        return None

    def remove(self, waiter: Waiter, tenant: str, *, is_batch: bool) -> None:
        """Out of its line, if it is still there."""
        desk = self._desks.get(tenant)
        if desk is None or waiter not in desk.lines[is_batch]:
            return
        del desk.lines[is_batch][waiter]
        self._waiting[is_batch] -= 1
        if not desk:
            del self._desks[tenant]

    def _longest(self, tenant: str, *, is_batch: bool) -> tuple[str, bool] | None:
        """The line that would still not be shorter than the newcomer's if it gave up a place."""
        own = self._desks.get(tenant, Desk[Waiter]())
        most = max(self._desks, key=lambda one: len(self._desks[one]), default=tenant)
        if len(own) + 1 < len(self._desks.get(most, own)):
            lines = self._desks[most].lines
            return most, len(lines[True]) >= len(lines[False])
        if len(own.lines[is_batch]) + 1 < len(own.lines[not is_batch]):
            return tenant, not is_batch
        return None
