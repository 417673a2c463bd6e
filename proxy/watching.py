"""When to look at files again: at a hint, or when nobody has hinted for a while."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from proxy.credentials.watch import Watcher

LOOK_AGAIN_S = 1.0
"""How long without a hint at most."""

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Hints:
    """Says when one of some files may have changed. Which files they are may change too."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._hint = asyncio.Event()
        self._paths: frozenset[Path] = frozenset()
        self._watching: asyncio.Task[None] | None = None

    def watch(self, paths: frozenset[Path]) -> None:
        """From now on these files and no others."""
        if paths == self._paths:
            return
        self.stop()
        self._paths = paths
        if paths:
            self._watching = self._spawn(Watcher(paths, self.give).run())

    def give(self) -> None:
        self._hint.set()

    async def next(self) -> None:
        """Returns at a hint, one given since the last time included, or after `LOOK_AGAIN_S`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._hint.wait()
        self._hint.clear()

    def stop(self) -> None:
        """Watches nothing any more."""
        if self._watching is not None:
            self._watching.cancel()
        self._watching, self._paths = None, frozenset()
