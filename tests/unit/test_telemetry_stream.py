"""The log's way out: nobody waits for whoever reads it, nothing is lost in silence."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.log import Log
from proxy.telemetry.stream import AT_ONCE_BYTES, DescriptorSink
from proxy.telemetry.writer import WAITING

WAIT_S = 10.0
SPOKEN = WAITING + 2_000
"""More than wait and a pipe of 64 KiB holds."""


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "w") as writer:
            yield reading, writer
    finally:
        os.close(reading)


def everything(reading: int) -> bytes:
    content = b""
    while chunk := os.read(reading, 65_536):
        content += chunk
    return content


def finished(log: Log, reading: int, writer: TextIO, begun: bytes = b"") -> list[dict[str, Any]]:
    """All that was written, after the end; `begun` has been read already."""
    with ThreadPoolExecutor() as threads:
        content = threads.submit(everything, reading)
        log.end(WAIT_S)
        writer.close()
        return [json.loads(line) for line in (begun + content.result(WAIT_S)).splitlines()]


def test_a_reader_who_is_stuck_costs_lines_and_hears_how_many() -> None:
    with pipe() as (reading, writer), ThreadPoolExecutor() as threads:
        log = Log(writer)

        def speak() -> None:
            for number in range(SPOKEN):
                log.info("question", number=number)

        threads.submit(speak).result(WAIT_S)
        lost = log.dropped_lines
        assert lost > 0
        begun = os.read(reading, 65_536)
        spoken = SPOKEN
        while log.dropped_lines > lost or spoken == SPOKEN:  # until there is room for one
            lost = log.dropped_lines
            log.info("question", number=spoken)
            spoken += 1
        lines = finished(log, reading, writer, begun)
    numbers = [line["number"] for line in lines]
    assert numbers == sorted(numbers)
    assert len(lines) == spoken - log.dropped_lines
    assert sum(line.get("lines_lost", 0) for line in lines) == log.dropped_lines
    assert lines[-1]["lines_lost"] == log.dropped_lines


def test_what_two_threads_say_at_once_stays_apart_and_nothing_is_missing() -> None:
    with pipe() as (reading, writer), ThreadPoolExecutor() as threads:
        log = Log(writer)

        def speak(who: int) -> None:
            for number in range(300):
                log.info("question", who=who, number=number, long="x" * (number % 7) * 400)

        reader = threads.submit(everything, reading)
        for speaking in [threads.submit(speak, who) for who in range(4)]:
            speaking.result(WAIT_S)
        log.end(WAIT_S)
        writer.close()
        lines = [json.loads(line) for line in reader.result(WAIT_S).splitlines()]
    for who in range(4):
        assert [line["number"] for line in lines if line["who"] == who] == list(range(300))


def test_a_full_disk_loses_lines_and_the_first_one_that_fits_tells_of_all(tmp_path: Path) -> None:
    """Also of those that went down with a line that should have told of them."""
    path = tmp_path / "log"
    with Path("/dev/full").open("w") as full, path.open("w") as roomy:
        log = Log(full)
        gone = threading.Semaphore(0)
        for _ in range(3):
            log.info("question")
            log.write("audit", lambda error: gone.release())
            assert gone.acquire(timeout=WAIT_S)
        os.dup2(roomy.fileno(), full.fileno())
        log.info("question")
        log.end(WAIT_S)
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert line["lines_lost"] == log.dropped_lines == 6


def test_the_end_waits_no_longer_than_it_is_told_to() -> None:
    with pipe() as (reading, writer):
        log = Log(writer)
        for _ in range(SPOKEN):
            log.info("question")
        log.end(0.01)  # nobody reads
        lost = log.dropped_lines
        log.error("uncaught")  # there is no room, and nobody waits
        assert log.dropped_lines == lost + 1
        assert finished(log, reading, writer)[-1]["event"] == "question"


def test_a_word_after_the_last_one_still_gets_out() -> None:
    with pipe() as (reading, writer):
        log = Log(writer)
        log.info("question")
        log.end(WAIT_S)
        log.error("uncaught")
        writer.close()
        events = [json.loads(line)["event"] for line in everything(reading).splitlines()]
    assert events == ["question", "uncaught"]


def test_a_pipe_that_somebody_else_made_impatient_is_waited_for() -> None:
    with pipe() as (reading, writer):
        os.set_blocking(writer.fileno(), False)
        log = Log(writer)
        for _ in range(2_000):
            log.info("question")
        assert len(finished(log, reading, writer)) == 2_000
    assert log.dropped_lines == 0


SCRIPT = """
import os, sys
from proxy.telemetry.log import Log, capture_libraries
log = Log(sys.stdout, style="json")
capture_libraries(log)
log.info("first")
"""


@pytest.mark.parametrize(
    ("last_words", "events"),
    [
        ("try: 1 / 0\nfinally: log.end(5)", ["first", "uncaught"]),
        ("log.end(5); raise SystemExit(3)", ["first"]),
        (
            """if os.fork() == 0: log.info('child'); log.end(1); os._exit(0)
os.wait(); log.end(5); log.info('parent')""",
            ["child", "first", "parent"],
        ),
    ],
)
def test_last_words_arrive(last_words: str, events: list[str]) -> None:
    command = (sys.executable, "-P", "-c", SCRIPT + last_words)
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=root)
    assert sorted(json.loads(line)["event"] for line in done.stdout.splitlines()) == events


@given(
    lines=st.lists(st.binary(max_size=6_000).map(lambda one: one.replace(b"\n", b".") + b"\n")),
    room=st.integers(0, 20_000),
    step=st.integers(1, 5_000),
)
def test_whole_lines_leave_and_the_half_one_of_a_full_disk_is_closed(
    lines: list[bytes], room: int, step: int
) -> None:
    """A line that counts as written stands whole in the file; the next one begins anew."""
    with pytest.MonkeyPatch.context() as patch, Path(os.devnull).open("w") as stream:
        disk, left = bytearray(), [room]

        def write(_descriptor: int, content: bytes) -> int:
            some = content[: min(step, left[0])]
            if not some:
                raise OSError(28, "no space")
            left[0] -= len(some)
            disk.extend(some)
            return len(some)

        patch.setattr(os, "write", write)
        sink, rest, written = DescriptorSink(stream.fileno()), lines, list[bytes]()
        try:
            while rest:
                out = sink.write(rest)
                assert out == 1 or sum(map(len, rest[:out])) <= AT_ONCE_BYTES
                written, rest = written + rest[:out], rest[out:]
        except OSError:
            assert rest
        left[0] = 1_000_000
        sink.write([b"after\n"])
    found = [line + b"\n" for line in bytes(disk).split(b"\n")[:-1]]
    assert found[: len(written)] == written
    assert found[-1] == b"after\n"
    assert len(found) - len(written) in {1, 2}
