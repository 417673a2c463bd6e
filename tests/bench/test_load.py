"""Who asks, and what is watched of who answers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bench.load import Ask, Kind, Load, WrongAnswers, asking, length_of
from tests.bench.processes import NotStarted, family, running

ASK = Ask.get("/one", headers=[("X-Tenant-ID", "t")], holds=b"fee")
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfee"


@asynccontextmanager
async def server(answer: Callable[[int], bytes]) -> AsyncIterator[int]:
    """Answers the nth request so; with nothing, it hangs up. Gives its port."""
    asked = iter(range(sys.maxsize))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                said = answer(next(asked))
                if not said:
                    break
                writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as made:
        yield made.sockets[0].getsockname()[1]


async def test_a_load_asks_as_often_as_it_is_told_and_counts_what_it_is_to_count() -> None:
    async with server(lambda n: GOOD) as port:
        load = Load(port=port, asks=[ASK], connections=3, requests=40, counts=b"200 OK")
        who = await asking(load, core=None)
        try:
            seen = await who.go()
        finally:
            await who.end()
    assert (seen.count, seen.counted, seen.wrong) == (40, 40, 0)
    assert 0 < seen.all.p50_ms <= seen.all.p99_ms <= seen.all.longest_ms


@pytest.mark.parametrize(
    ("wrong", "example"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nfee", "503 Busy"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnil", "200 OK"),
        (b"", "hung up"),
    ],
)
async def test_a_wrong_answer_voids_the_load(wrong: bytes, example: str) -> None:
    """A wrong body is seen in the sample."""
    async with server(lambda n: GOOD if n < 10 else wrong) as port:
        load = Load(port=port, asks=[ASK], connections=1, requests=30, warm=10)
        who = await asking(load, core=None)
        try:
            with pytest.raises(WrongAnswers, match=example):
                await who.go()
        finally:
            await who.end()


async def test_nobody_who_listens_is_told_as_such() -> None:
    async with server(lambda n: GOOD) as port:
        pass
    with pytest.raises(WrongAnswers, match="does not answer"):
        await asking(Load(port=port, asks=[ASK]), core=None)


def test_an_answer_ends_where_it_says() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 12\r\nX: y"
    assert length_of(head) == 0
    assert length_of(head + b"\r\n\r\nab") == len(head) + 4 + 12
    assert length_of(b"HTTP/1.1 204 No Content\r\n\r\n") == 27
    assert length_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == -1


def test_a_load_survives_its_way_to_the_other_process() -> None:
    load = Load(port=1, asks=[ASK, Ask.post("/b", {"a": 1}, kind="batch")], counts=b"\xff")
    assert Load.from_json(load.as_json()) == load
    assert load.asks[1].request.endswith(b'Content-Length: 8\r\n\r\n{"a": 1}')


def test_latencies_are_told_in_milliseconds() -> None:
    kind = Kind.of([one / 1_000 for one in range(1, 101)])
    assert (kind.count, kind.p50_ms, kind.p95_ms, kind.longest_ms) == (100, 51.0, 96.0, 100.0)


async def test_a_program_is_measured_with_its_children_and_is_gone_afterwards(
    tmp_path: Path,
) -> None:
    busy = "import subprocess, sys; print('up', flush=True); "
    busy += "one = subprocess.Popen([sys.executable, "
    busy += "'-c', 'sum(range(10**7)); print(1, flush=True); input()'], stdin=-1); one.wait()"
    core = min(os.sched_getaffinity(0))
    async with running(
        "busy", [sys.executable, "-c", busy], log=tmp_path / "log", core=core
    ) as program:
        await program.until(lambda said: "1" in said)
        pids = family(program.pid)
        assert len(pids) == 2
        assert program.cpu_s() > 0.05
        assert program.rss_mib() >= program.pss_mib() > 1
        assert {os.sched_getaffinity(one) == {core} for one in pids} == {True}
    assert program.cpu_s() == 0


async def test_a_program_that_ends_too_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no port')"]
    async with running("short", command, log=tmp_path / "log") as program:
        with pytest.raises(NotStarted, match="short ended: no port"):
            await program.until(lambda said: "listening" in said)
