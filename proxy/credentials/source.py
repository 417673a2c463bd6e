"""Where one connection's credentials come from, for as long as it lives."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

from adapters.outcome import LookupFailed, Reason
from config.settings import ClientTls, OAuth2
from proxy.credentials import errands
from proxy.credentials.files import file_paths, read_set
from proxy.credentials.judgement import CLOCK_TOLERANCE, FileProblem
from proxy.credentials.loading import Loaded, failure, load
from proxy.credentials.snapshot import Credentials
from proxy.credentials.watch import POLL_S, Watcher

OnSwap: TypeAlias = Callable[[Credentials], None]
Read: TypeAlias = Callable[[Callable[[], Loaded | None]], Awaitable[Loaded | None]]
"""Gives the result of work that may hang on a dead mount."""
OnRefused: TypeAlias = Callable[[tuple[FileProblem, ...]], None]

SETTLE_S = 0.05
"""Between the first sign of a change and a look: files that are copied in place, one after the
other, are half there for a moment, and half a secret cannot be told from a whole one."""
LONGEST_WAIT = timedelta(seconds=60)
"""The wall clock may be set while we wait for a certificate's time."""


class CredentialSource:
    """The last good credentials, and what is wrong with the files as they are now.

    Nothing is read before the first look.
    """

    def __init__(
        self,
        name: str,
        tls: ClientTls | None,
        oauth2: OAuth2 | None,
        *,
        clock: Callable[[], datetime],
        read: Read = errands.read,
    ) -> None:
        """`name`: the connection's."""
        self.name = name
        self._tls = tls
        self._oauth2 = oauth2
        self._clock = clock
        self._read = read
        self._looking = asyncio.Lock()
        self._latest: Loaded | None = None
        self._good: Loaded | None = None
        self._on_swap: OnSwap = _nobody
        self._on_refused: OnRefused = _nobody

    @property
    def current(self) -> Credentials | None:
        """The last good ones; `None` until the files are good for the first time."""
        return self._current

    @property
    def looked(self) -> bool:
        """Whether the files have been looked at."""
        return self._latest is not None

    @property
    def problems(self) -> tuple[FileProblem, ...]:
        """What is wrong with the files as they are now."""
        return self._latest.judgement.problems if self._latest else ()

    @property
    def warnings(self) -> tuple[FileProblem, ...]:
        """What may go wrong with the files as they are now."""
        return self._latest.judgement.warnings if self._latest else ()

    @property
    def look_again_at(self) -> datetime | None:
        """When files that were refused for their dates are judged again."""
        return self._latest.judgement.valid_from if self._latest else None

    @property
    def loaded_at(self) -> datetime | None:
        return self._current.loaded_at if self._current else None

    @property
    def failure(self) -> LookupFailed | None:
        """Why there are no credentials; `None` when there are."""
        if self._current is not None:
            return None
        if self.problems:
            return failure(self.problems)
        return LookupFailed(Reason.TLS, "the credentials have not been read yet")

    def paths(self) -> tuple[Path, ...]:
        """The files to watch."""
        return file_paths(self._tls, self._oauth2)

    async def look(self, now: datetime) -> bool:
        """Reads the files; whether `current` is another one by it."""
        async with self._looking:
            return self._take(await self._read(partial(self._look, now)))

    async def run(
        self,
        on_swap: OnSwap,
        on_refused: OnRefused | None = None,
        *,
        poll_s: float = POLL_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Looks whenever the files may have changed, until cancelled.

        `on_swap` hears of each version that becomes current; `on_refused` of each bad set, once.
        """
        self._on_swap, self._on_refused = on_swap, on_refused or _nobody
        hint = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(Watcher(self.paths(), hint.set, poll_s=poll_s).run())
                while True:
                    hint.clear()
                    await self.look(self._clock())
                    await _any(hint, pause_s(self.look_again_at, self._clock()))
                    if hint.is_set():
                        await asyncio.sleep(settle_s)
        finally:
            self._on_swap, self._on_refused = _nobody, _nobody

    def _look(self, now: datetime) -> Loaded | None:
        """In a thread. `None`: what is known already."""
        files = read_set(self._tls, self._oauth2)
        latest, good = self._latest, self._good
        if latest and latest.digest == files.digest and not latest.is_due(now):
            return None
        if good and good.digest == files.digest:
            return good
        version = self._version + 1
        return load(files, now, version=version, tolerance=_tolerance(self._current, now))

    def _take(self, loaded: Loaded | None) -> bool:
        if loaded is None:
            return False
        news = self._latest is None or loaded.judgement.problems != self.problems
        self._latest = loaded
        if loaded.credentials is None:
            if news:
                self._on_refused(loaded.judgement.problems)
            return False
        if loaded is self._good:
            return False
        self._good = loaded
        self._on_swap(loaded.credentials)
        return True

    @property
    def _version(self) -> int:
        return self._current.version if self._current else 0

    @property
    def _current(self) -> Credentials | None:
        return self._good.credentials if self._good else None


def pause_s(look_again_at: datetime | None, now: datetime) -> float | None:
    """Seconds until files must be judged again without a hint; `None`: only after one."""
    if look_again_at is None:
        return None
    return max(timedelta(0), min(look_again_at - now, LONGEST_WAIT)).total_seconds()


def _tolerance(current: Credentials | None, now: datetime) -> timedelta:
    """None while good ones serve: there is no need to try what may be refused."""
    if current is None:
        return CLOCK_TOLERANCE
    ends = current.certificate_ends
    return timedelta(0) if ends is None or now < ends else CLOCK_TOLERANCE


async def _any(hint: asyncio.Event, within_s: float | None) -> None:
    try:
        async with asyncio.timeout(within_s):
            await hint.wait()
    except TimeoutError:
        pass


def _nobody(_: object) -> None:
    pass
