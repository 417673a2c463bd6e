"""One watch over the files of everybody on an event loop.

One descriptor tells of events, one timer makes the polls, and one thread looks at the files. A look
that hangs on a dead mount keeps that thread, and the others get another.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EMFILE, ENFILE, ENOMEM, ENOSPC
from functools import partial
from pathlib import Path
from typing import TypeAlias

from proxy.credentials.errands import Hand
from proxy.credentials.inotify import Inotify
from proxy.credentials.watched import Look, Watched
from proxy.credentials.whereabouts import Stamp

GATHER_S = 0.05
"""A swap of a mount is over within milliseconds; what goes on for longer is told meanwhile."""
LATE_S = 0.5
"""A look that takes longer hangs, as far as the others are concerned."""
STOP_S = 1.0
"""A thread that hangs on a dead mount is left behind."""
THOROUGH_EACH = 120
"""Of so many polls of each holder's files, one also looks whether directories were replaced without
an event. Until then a change behind them is seen by the polls alone."""

_EXHAUSTED = frozenset({EMFILE, ENFILE, ENOMEM, ENOSPC})
_log = logging.getLogger(__name__)

Due: TypeAlias = deque[tuple[Watched, bool]]
"""Who is looked at next, and whether at its directories as well."""


class Lookout:
    """Looks at what is watched, at each event and every `poll_s` seconds."""

    def __init__(self, poll_s: float, *, make: Callable[[], Inotify] = Inotify) -> None:
        self._poll_s = poll_s
        self._loop = asyncio.get_running_loop()
        self._all: dict[Watched, None] = {}
        self._of: dict[int, set[Watched]] = {}
        """Who has names there, by the number of the watch."""
        self._wake = asyncio.Event()
        self._hand: Hand | None = None
        self._under_way: dict[asyncio.Future[None], Hand] = {}
        self._polls = 0
        self._said = False
        self._gathering: asyncio.TimerHandle | None = None
        self._inotify: Inotify | None = None
        self._is_mute = True
        try:
            self._inotify = make()
        except OSError as error:
            self._say_that_polls_are_alone(error)
        else:
            self._is_mute = False
            self._loop.add_reader(self._inotify.fileno(), self._gather)
        self._rounds = self._loop.create_task(self._run())

    @property
    def is_wanted(self) -> bool:
        return bool(self._all)

    @contextmanager
    def watching(
        self, paths: Collection[Path], on_hint: Callable[[], None]
    ) -> Iterator["asyncio.Future[None]"]:
        """Gives what is raised when a look fails as nobody foresaw."""
        watched = Watched(paths, on_hint)
        self._all[watched] = None
        self._wake.set()
        try:
            yield watched.failed
        finally:
            watched.failed.cancel()
            del self._all[watched]
            self._wants(watched, {})

    async def aclose(self) -> None:
        """When nothing is watched any more."""
        self._rounds.cancel()
        self._be_mute()
        hands = set(self._under_way.values())
        if self._hand is not None:
            hands.add(self._hand)
            self._hand.dismiss()
        try:
            await asyncio.wait({self._rounds, *self._under_way}, timeout=STOP_S)
        finally:
            for hand in hands:
                if not hand.is_busy:
                    hand.join()
            self._close()

    def _close(self, _done: object = None) -> None:
        """The descriptor, once no thread uses it."""
        left = next((done for done in self._under_way if not done.done()), None)
        if left is not None:
            left.add_done_callback(self._close)
        elif self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    async def _run(self) -> None:
        poll_at = self._loop.time() + self._poll_s
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(poll_at):
                        await self._wake.wait()
                self._wake.clear()
                if is_poll := self._loop.time() >= poll_at:
                    poll_at = self._loop.time() + self._poll_s
                    self._polls += 1
                await self._round(self._due(is_poll=is_poll))
        except Exception as error:  # noqa: BLE001  (raised where it is awaited)
            for watched in self._all:
                _fail(watched, error)

    def _due(self, *, is_poll: bool) -> Due:
        turn = self._polls % THOROUGH_EACH
        due: Due = deque()
        for number, one in enumerate(self._all):
            if (is_poll or one.is_due) and not one.is_in_hand:
                is_thorough = is_poll and number % THOROUGH_EACH == turn
                due.append((one, one.is_due or is_thorough))
                one.begin()
        return due

    async def _round(self, due: Due) -> None:
        """Looks once at each, in one thread; once that is late, at each of the rest in one of its
        own, for they may hang as well.
        """
        if not due:
            return
        if self._hand is None:
            self._hand = Hand("watching")
        done = self._begin_look(self._hand, due)
        await asyncio.wait({done}, timeout=LATE_S)
        if done.done():
            self._over(done)
            return
        done.add_done_callback(self._over)
        self._hand.dismiss()
        self._hand = None
        for one in _taken_from(due):
            hand = Hand("watching")
            self._begin_look(hand, deque([one])).add_done_callback(self._over)
            hand.dismiss()

    def _begin_look(self, hand: Hand, due: Due) -> "asyncio.Future[None]":
        done = hand.begin(partial(self._look, due))
        self._under_way[done] = hand
        return done

    def _over(self, done: "asyncio.Future[None]") -> None:
        self._under_way.pop(done, None)
        if any(one.is_due for one in self._all):
            self._wake.set()

    def _look(self, due: Due) -> None:
        """In a thread, which says so only when there is something to say."""
        begin = None if self._is_mute else self._begin
        known: dict[str, Stamp] = {}
        while True:
            try:
                watched, is_due = due.popleft()
            except IndexError:  # where a look has taken too long, the rest was taken from it
                return
            try:
                look = watched.look(begin, known, is_due=is_due)
            except Exception as error:  # noqa: BLE001  (raised where it is awaited)
                self._loop.call_soon_threadsafe(_fail, watched, error)
            else:
                if look is not None:
                    self._loop.call_soon_threadsafe(self._looked, watched, look)
                    continue
            watched.is_in_hand = False

    def _begin(self, folder: str) -> int:
        """In a thread."""
        assert self._inotify is not None  # noqa: S101  (it is there as long as a thread is)
        try:
            return self._inotify.watch(folder)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._say_that_polls_are_alone(error)
            raise

    def _looked(self, watched: Watched, look: Look) -> None:
        watched.is_in_hand = False  # and no earlier: nobody else knows of its watches
        self._wants(watched, look.names)
        if watched not in self._all:  # it has left meanwhile
            self._wants(watched, {})
            return
        watched.lost = (watched.lost - look.lost) | (look.names.keys() & watched.ended_meanwhile)
        if watched.lost or look.names.keys() & watched.told_meanwhile:
            watched.is_due = True
            self._wake.set()
        if look.hint:
            watched.on_hint()

    def _wants(self, watched: Watched, names: Mapping[int, frozenset[str]]) -> None:
        before, watched.names = watched.names, names
        for number in names.keys() - before.keys():
            self._of.setdefault(number, set()).add(watched)
        for number in before.keys() - names.keys():
            wanting = self._of[number]
            wanting.discard(watched)
            if wanting:
                continue
            del self._of[number]
            self._tell_who_is_looked_at({number}, {number})
            if self._inotify is not None:
                self._inotify.forget(number)

    def _gather(self) -> None:
        """At the first event; those that follow at once are of the same swap."""
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._gathering = self._loop.call_later(GATHER_S, self._gathered, self._inotify)

    def _gathered(self, inotify: Inotify) -> None:
        try:
            news = inotify.read()
        except OSError as error:
            self._is_mute = True
            self._say_that_polls_are_alone(error)
            return
        self._loop.add_reader(inotify.fileno(), self._gather)
        self._tell_who_is_looked_at(news.changed.keys(), news.gone)
        for number, names in news.changed.items():
            for one in self._of.get(number, ()):
                one.heard(number, names, is_gone=number in news.gone)
        if news.overflowed:
            for one in self._all:
                one.is_due, one.lost = True, frozenset(one.names)
        if any(one.is_due for one in self._all):
            self._wake.set()

    def _tell_who_is_looked_at(self, numbers: Collection[int], gone: Collection[int]) -> None:
        """A look begins watches that nobody knows of before it is over."""
        for one in self._all:
            if one.is_in_hand:
                one.told_meanwhile.update(numbers)
                one.ended_meanwhile.update(gone)

    def _be_mute(self) -> None:
        """No events any more."""
        self._is_mute = True
        if self._gathering is not None:
            self._gathering.cancel()
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())

    def _say_that_polls_are_alone(self, error: OSError) -> None:
        """Once. Changes are seen all the same, up to half a second later."""
        if not self._said:
            self._said = True
            _log.warning("directories are polled, and not watched: %s", error, exc_info=error)


def _taken_from(due: Due) -> Due:
    """What nobody has begun with; a thread that comes back finds nothing to do."""
    rest: Due = deque()
    with suppress(IndexError):
        while True:
            rest.append(due.popleft())
    return rest


def _fail(watched: Watched, error: Exception) -> None:
    if not watched.failed.done():
        watched.failed.set_exception(error)
