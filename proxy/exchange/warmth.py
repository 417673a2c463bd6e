"""When connections are opened ahead of the need for them. Pure; time is an argument.

A connection costs the vendor a handshake, and every sidecar of a fleet wants some. So they are
opened at once where only this sidecar begins (a start, new credentials that are about to serve),
and at a moment by chance where a whole fleet would begin together: a vendor that has hung up on
everybody, or that has just come back.
"""

from collections.abc import Callable

SPREAD_S = 5.0
"""What was lost is opened again within this time, by chance."""
FIRST_REST_S = 1.0
LONGEST_REST_S = 300.0
"""After failures, or while the vendor hangs up on connections that nobody uses: the rest doubles
up to this. An exchange ends the second, and only what opens ends the first."""
_DOUBLINGS = 16


class Warmth:
    """The next moment at which what lacks may be opened."""

    def __init__(self, luck: Callable[[], float]) -> None:
        """`luck`: from 0 to 1, by chance."""
        self._luck = luck
        self._due_at: float | None = None
        self._in_vain = 0
        self._failures = 0
        self._has_opened = False

    def is_due(self, now: float, *, lacks: bool, at_once: bool = False) -> bool:
        """Whether to open now. What is found lacking for the first time is opened at once.

        `at_once`: only this sidecar begins, so chance need not decide.
        """
        if not lacks:
            self._due_at = None
            return False
        if self._due_at is None:
            self._due_at = now + (0.0 if at_once else self._wait_s())
        return now >= self._due_at

    def opened(self, *, were_lost: bool) -> None:
        """All are there. If they are lost once more before anybody used one, it was in vain."""
        self._due_at, self._failures = None, 0
        self._in_vain += self._has_opened and were_lost
        self._has_opened = True

    def failed(self, now: float) -> None:
        """Only what opens ends this: exchanges have connections of their own, and a vendor that
        takes no more of them would be kept busy with refusing ours.
        """
        self._failures += 1
        self._due_at = now + self._rest_s()

    def used(self) -> None:
        """An exchange took place: connections are wanted."""
        if self._in_vain and not self._failures:
            self._due_at = None
        self._in_vain = 0

    def _wait_s(self) -> float:
        if self._in_vain or self._failures:
            return self._rest_s()
        return self._luck() * SPREAD_S if self._has_opened else 0.0

    def _rest_s(self) -> float:
        """Half of it is by chance."""
        doubled = FIRST_REST_S * 2.0 ** min(self._in_vain + self._failures, _DOUBLINGS)
        return min(doubled, LONGEST_REST_S) * (1 + self._luck()) / 2
