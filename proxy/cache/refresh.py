"""Which entries are being refreshed ahead of their end: each once, and not too many in all."""

import asyncio
from collections.abc import Collection, Sequence

from proxy.cache.envelope import Key

MOST = 200
"""Customers who are asked about early, all together."""
REST_S = 1.0
"""An entry whose refresh has failed is left alone for so long."""


class Refreshes:
    """Nothing is started here: who may begin says so, and tells how it ended."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._busy: dict[Key, asyncio.Task[None] | None] = {}
        """Under way, or resting (`None`)."""

    def __len__(self) -> int:
        return len(self._busy)

    def __contains__(self, key: Key) -> bool:
        """Under way, and not forgotten since."""
        return key in self._busy

    def admit(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Those that may be refreshed now. Begin, or `end`, for each of them."""
        admitted = [key for key in keys if key not in self._busy]
        admitted = admitted[: max(0, self._most - len(self._busy))]
        self._busy.update(dict.fromkeys(admitted))
        return admitted

    def begin(self, keys: Sequence[Key], task: asyncio.Task[None], failed: Collection[Key]) -> None:
        """`failed` is looked at when the task is over."""
        for key in keys:
            self._busy[key] = task
        task.add_done_callback(lambda ended: self._end(keys, ended, failed))

    def forget(self, key: Key) -> None:
        """Nobody needs to be asked any more, unless for others."""
        task = self._busy.pop(key, None)
        if task is not None and task not in self._busy.values():
            task.cancel()

    async def aclose(self) -> None:
        tasks = {task for task in self._busy.values() if task is not None}
        self._busy.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _end(self, keys: Sequence[Key], task: asyncio.Task[None], failed: Collection[Key]) -> None:
        ours = [key for key in keys if self._busy.get(key) is task]
        for key in ours:
            del self._busy[key]
        resting = [key for key in ours if key in failed]
        if resting:
            self._busy.update(dict.fromkeys(resting))
            asyncio.get_running_loop().call_later(REST_S, self._rested, resting)

    def _rested(self, keys: Sequence[Key]) -> None:
        for key in keys:
            if self._busy.get(key) is None:  # not one that began since
                self._busy.pop(key, None)
