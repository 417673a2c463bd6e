"""What is forgotten stays forgotten, in whatever order the commands of two sidecars are done."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import NoPermissionError

from proxy.cache.redis_facts import persistence_of, together
from proxy.cache.redis_store import Command, RedisStore
from proxy.cache.store import Persistence, Put, StoreFailed

NAME, STONE, LONG_S = b"name", b"stone", 60.0


class Board:
    """A Redis that does one command in each turn that chance gives, for whoever is there."""

    def __init__(self, seed: int, *, keeps_order: bool) -> None:
        self.keeps_order = keeps_order
        self.kept: dict[bytes, bytes] = {}
        self.chance = random.Random(seed)
        self.fails_at: int | None = None
        self.done = 0
        self.forgets = False
        """Whether somebody forgets as soon as an entry is there."""

    async def send(self, commands: Sequence[Command]) -> Sequence[object]:
        replies: dict[int, object] = {}
        order = list(range(len(commands)))
        if not self.keeps_order:
            self.chance.shuffle(order)
        for place in order:
            for _ in range(self.chance.choice([0, 0, 1, 3])):
                await asyncio.sleep(0)
            replies[place] = self._do(commands[place])
        return [replies[place] for place in range(len(commands))]

    async def get_many(self, names: Sequence[bytes]) -> object:
        return [self.kept.get(name) for name in names]

    def questions(self, names: Sequence[bytes]) -> Sequence[Command]:
        if self.keeps_order:
            return [("MGET", *names)] if names else []
        return [("GET", name) for name in names]

    def removals(self, names: Sequence[bytes]) -> Sequence[Command]:
        return [("DEL", name) for name in names]

    async def persistence(self) -> Persistence:
        return "none"

    async def aclose(self) -> None: ...

    def _do(self, command: Command) -> object:
        self.done += 1
        if self.done == self.fails_at:
            raise ConnectionError("gone")
        verb, names = command[0], [one for one in command[1:] if isinstance(one, bytes)]
        if verb == "SET":
            self.kept[names[0]] = names[1]
            if self.forgets:
                self.kept[STONE] = b"1"
        elif verb == "DEL":
            return sum(self.kept.pop(name, None) is not None for name in names)
        elif verb == "MGET":
            return [self.kept.get(name) for name in names]
        elif verb == "GET":
            return self.kept.get(names[0])
        return True


def store(board: Board) -> RedisStore:
    return RedisStore(board, kind="board", connections=4, timeout_s=5.0)


@given(st.integers(0, 10_000), st.booleans())
def test_whoever_writes_while_another_forgets_leaves_nothing(seed: int, keeps_order: bool) -> None:  # noqa: FBT001  (drawn by hypothesis)
    async def tell() -> None:
        board = Board(seed, keeps_order=keeps_order)
        writes = [
            store(board).put_many([Put(NAME, b"old", LONG_S, [STONE]), Put(b"other", b"", LONG_S)])
            for _ in range(2)
        ]
        forgets = store(board).forget([NAME], [STONE], LONG_S)
        works = [*writes, forgets]
        board.chance.shuffle(works)
        await asyncio.gather(*works)
        assert NAME not in board.kept
        assert b"other" in board.kept

    asyncio.run(tell())


@given(st.integers(1, 8), st.booleans())
def test_who_is_forgotten_already_is_not_there_for_a_moment(at: int, keeps_order: bool) -> None:  # noqa: FBT001  (drawn by hypothesis)
    """Whoever writes may be cut off at any command, and never write again."""

    async def tell() -> None:
        board = Board(at, keeps_order=keeps_order)
        board.kept[STONE] = b"1"
        board.fails_at = at
        with suppress(StoreFailed):  # it may be over before that many commands
            await store(board).put_many([Put(NAME, b"old", LONG_S, [STONE])])
        assert NAME not in board.kept

    asyncio.run(tell())


@given(st.integers(1, 8), st.booleans())
def test_a_write_that_breaks_off_is_undone_by_the_next(at: int, keeps_order: bool) -> None:  # noqa: FBT001  (drawn by hypothesis)
    async def tell() -> None:
        board = Board(at, keeps_order=keeps_order)
        board.forgets = True
        writer = store(board)
        board.fails_at = at
        with suppress(StoreFailed):  # it may be over before that many commands
            await writer.put_many([Put(NAME, b"old", LONG_S, [STONE])])
        board.fails_at, board.forgets = None, False
        await writer.put_many([Put(b"another", b"", LONG_S, [b"not there"])])
        assert NAME not in board.kept
        assert b"another" in board.kept

    asyncio.run(tell())


@pytest.mark.parametrize("entries", [0, 1, 49, 50, 51, 240])
async def test_a_bulk_of_writes_is_there_whole(entries: int) -> None:
    board = Board(1, keeps_order=True)
    puts = [Put(b"%d" % n, b"%d" % n, LONG_S, [b"stone %d" % n]) for n in range(entries)]
    await store(board).put_many(puts)
    assert board.kept == {put.name: put.value for put in puts}


ANSWERS: list[tuple[object, object, Persistence]] = [
    ({"aof_enabled": 0}, {"save": ""}, "none"),
    ({"aof_enabled": 1}, {"save": ""}, "aof"),
    ({"aof_enabled": 0}, {"save": "3600 1"}, "rdb"),
    ({"aof_enabled": 1}, {"save": "3600 1"}, "rdb+aof"),
    ({"aof_enabled": 0, "rdb_last_bgsave_time_sec": 0}, None, "rdb"),
    ({"aof_enabled": 1, "rdb_last_bgsave_time_sec": 0}, None, "rdb+aof"),
    ({"aof_enabled": 0, "rdb_last_bgsave_time_sec": -1}, None, "unknown"),
    ({"aof_enabled": 1, "rdb_last_bgsave_time_sec": -1}, None, "aof"),
    (None, {"save": ""}, "unknown"),
    (b"nonsense", {"save": ""}, "unknown"),
    ({}, {"save": ""}, "unknown"),
    ({"aof_enabled": 0}, [], "unknown"),
]


@pytest.mark.parametrize(("info", "config", "expected"), ANSWERS)
async def test_what_reaches_a_disk_is_told_as_far_as_it_is_known(
    info: object, config: object, expected: Persistence
) -> None:
    async def ask(command: str, _what: str) -> Any:
        said = info if command == "INFO" else config
        if said is None:
            raise NoPermissionError
        return said

    assert await persistence_of(ask) == expected


def test_a_cluster_writes_to_a_disk_if_one_of_its_nodes_does() -> None:
    assert together(["none", "rdb", "aof"]) == "rdb+aof"
    assert together(["none", "none"]) == "none"
    assert together(["aof", "unknown"]) == "unknown"
    assert together([]) == "unknown"
