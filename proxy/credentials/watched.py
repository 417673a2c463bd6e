"""One holder's files, as they are watched."""

import asyncio
from collections.abc import Callable, Collection, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

from proxy.credentials.whereabouts import Changes, Folder, Stamp, folders

SETTLES = 8
"""A tree that changes for longer is looked at again by the next poll."""

Begin: TypeAlias = Callable[[str], int]
"""Watches a directory from now on; the number of the watch. Raises `OSError`."""


class Look(NamedTuple):
    """What a look found that the event loop has to know."""

    hint: bool
    """Whether files may have changed."""
    names: Mapping[int, frozenset[str]]
    """That matter, by the numbers of all watches that are needed from now on."""
    lost: frozenset[int]
    """Of those that were known to be lost, and have been begun anew where there was need."""


class Watched:
    """Some files of one holder. Only the thread that has it in hand looks."""

    def __init__(self, paths: Collection[Path], on_hint: Callable[[], None]) -> None:
        self.on_hint = on_hint
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_in_hand = False
        self.is_due = True
        """For a look at its directories as well."""
        self.names: Mapping[int, frozenset[str]] = {}
        """That matter, by the numbers of its watches, as far as the event loop knows."""
        self.lost: frozenset[int] = frozenset()
        """Those among them that watch no more, or another place."""
        self.told_meanwhile: set[int] = set()
        """Watches with events since the present look began, those that it made included."""
        self.ended_meanwhile: set[int] = set()
        self._paths = paths
        self._changes = Changes(paths)
        self._wanted: dict[Folder, frozenset[str]] = {}
        self._held: dict[Folder, int] = {}
        self._lacks = True

    def begin(self) -> None:
        """Before it is looked at."""
        self.is_in_hand, self.is_due = True, False
        self.told_meanwhile, self.ended_meanwhile = set(), set()

    def heard(self, number: int, names: Collection[str], *, is_gone: bool) -> None:
        """An event of one of its watches. Others may write their files beside ours all day."""
        if is_gone:
            self.lost |= {number}
        elif "" not in names and self.names[number].isdisjoint(names):
            return
        self.is_due = True

    def look(
        self, begin: Begin | None, known: MutableMapping[str, Stamp], *, is_due: bool
    ) -> Look | None:
        """In a thread. `None`: all is as it was.

        `begin`: `None` when there are only polls. `known`: what others of the same moment have
        found, and shall find.
        """
        before, lost = self.names, self.lost
        hint = self._changes.seen(known)
        if begin is not None and (hint or is_due or self._lacks):
            self._held = {folder: one for folder, one in self._held.items() if one not in lost}
            for _ in range(SETTLES):
                if self._settled(begin):
                    break
                hint |= self._changes.seen_meanwhile()
        names: dict[int, frozenset[str]] = {}
        for folder, number in self._held.items():  # one directory may have several names
            names[number] = names.get(number, frozenset()) | self._wanted[folder]
        return Look(hint, names, lost) if hint or lost or names != before else None

    def _settled(self, begin: Begin) -> bool:
        """Whether all was watched already that can be; what comes to be watched may have changed
        before.
        """
        wanted, before = folders(self._paths), self._held
        self._held = {one: before[one] for one in wanted.keys() & before.keys()}
        for one in wanted.keys() - before.keys():
            with suppress(OSError):  # it is gone again, or the system has no watch left for us
                self._held[one] = begin(one.path)
        self._lacks, self._wanted = self._held.keys() != wanted.keys(), wanted
        return self._held.keys() == before.keys()
