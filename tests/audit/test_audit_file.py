"""The file of an audit trail, and the thread that writes it and the log."""

import os
import queue
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from proxy.telemetry.audit_file import AuditFile
from proxy.telemetry.writer import LineWriter

WAIT_S = 10.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_only_we_may_read_it(path: Path) -> None:
    path.touch(0o644)
    file = AuditFile(path, size=100, former_files=1)
    file.write([b"one\n"])
    file.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"one\n"


def test_a_full_file_moves_aside_and_so_many_are_kept(path: Path) -> None:
    file = AuditFile(path, size=10, former_files=2)
    for number in range(7):
        file.write([f"line {number}\n".encode()])
    file.close()
    kept = {one.name: one.read_text() for one in path.parent.iterdir()}
    assert kept == {
        "audit.jsonl": "line 6\n",
        "audit.jsonl.1": "line 5\n",
        "audit.jsonl.2": "line 4\n",
    }


def test_without_former_files_the_full_one_goes(path: Path) -> None:
    file = AuditFile(path, size=10, former_files=0)
    for number in range(3):
        file.write([f"line {number}\n".encode()])
    file.close()
    assert [one.name for one in path.parent.iterdir()] == ["audit.jsonl"]
    assert path.read_text() == "line 2\n"


@pytest.mark.parametrize("what", ["moved", "removed", "replaced"])
def test_who_moves_or_removes_it_finds_the_next_line_in_a_new_one(path: Path, what: str) -> None:
    file = AuditFile(path, size=1_000, former_files=1)
    file.write([b"one\n"])
    if what == "moved":
        path.rename(path.with_name("elsewhere"))
    else:
        path.unlink()
    if what == "replaced":
        path.write_text("other\n")
    file.write([b"two\n"])
    file.close()
    assert path.read_text() == ("other\ntwo\n" if what == "replaced" else "two\n")


def test_what_is_no_regular_file_is_not_written_to(path: Path, tmp_path: Path) -> None:
    os.mkfifo(path)
    file = AuditFile(path, size=100, former_files=1)
    with pytest.raises(OSError, match=r"."):
        file.write([b"one\n"])
    path.unlink()
    secret = tmp_path / "secret"
    secret.write_text("")
    path.symlink_to(secret)
    with pytest.raises(OSError, match=r"."):
        file.write([b"one\n"])
    assert secret.read_text() == ""


def test_a_full_disk_leaves_no_half_a_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = AuditFile(path, size=100, former_files=1)
    file.write([b"one\n"])
    real = os.write

    def some(descriptor: int, content: memoryview) -> int:
        if len(content) <= 3:
            raise OSError(28, "no space")
        return real(descriptor, content[:2])

    monkeypatch.setattr(os, "write", some)
    with pytest.raises(OSError, match="no space"):
        file.write([b"second\n"])
    monkeypatch.undo()
    file.write([b"third\n"])
    file.close()
    assert path.read_text() == "one\nthird\n"


class Slow:
    """A disk that hangs until it is let go, and takes two lines at a time."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, lines: Sequence[bytes]) -> int:
        self.entered.set()
        assert self.go.wait(WAIT_S)
        self.written += lines[:2]
        return len(lines[:2])

    def close(self) -> None:
        self.closed = True


def test_a_disk_that_hangs_costs_lines_and_nobody_waits() -> None:
    disk = Slow()
    done: list[OSError | None] = []
    writer = LineWriter(disk, name="test", waiting=3)
    assert writer.put(b"0", done.append)
    assert disk.entered.wait(WAIT_S)
    taken = [writer.put(str(one).encode(), done.append) for one in range(1, 6)]
    assert taken == [True, True, True, False, False]
    writer.end()
    assert not writer.wait(0)
    disk.go.set()
    assert writer.wait(WAIT_S)
    assert disk.written == [b"0", b"1", b"2", b"3"]
    assert done == [None] * 4
    assert disk.closed
    assert not writer.is_running


class Full(Slow):
    """It takes the first of all lines, and then no more."""

    def write(self, lines: Sequence[bytes]) -> int:
        if self.written:
            raise OSError(28, "no space")
        self.written += lines[:1]
        return 1


def test_a_full_disk_does_not_end_the_thread_and_each_line_has_its_own_fate() -> None:
    fates: queue.Queue[tuple[int, OSError | None]] = queue.Queue()
    writer = LineWriter(Full(), name="test")
    for one in range(5):
        assert writer.put(b"x", lambda error, one=one: fates.put((one, error)))  # type: ignore[misc]
    heard = [fates.get(timeout=WAIT_S) for _ in range(5)]
    assert writer.put(b"x", lambda error: fates.put((5, error)))
    heard.append(fates.get(timeout=WAIT_S))
    assert [one for one, _ in heard] == [0, 1, 2, 3, 4, 5]
    assert [type(error) for _, error in heard] == [type(None), *[OSError] * 5]
    writer.end()
    assert writer.wait(WAIT_S)


def test_who_speaks_while_a_line_is_put_does_not_wait_for_ever() -> None:
    """A destructor may run anywhere, as a signal's handler does, and have something to say."""
    disk = Slow()
    disk.go.set()
    done: list[OSError | None] = []
    interruptions: list[bool] = []
    writer = LineWriter(disk, name="test", waiting=1_000_000)

    def interrupt(_number: int, _frame: object) -> None:
        interruptions.append(writer.put(b"interrupted\n", done.append))

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        said = 0
        while len(interruptions) < 300:
            writer.put(b"said\n", done.append)
            said += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    writer.end()
    assert writer.wait(WAIT_S)
    assert disk.written.count(b"interrupted\n") == len(interruptions)
    assert disk.written.count(b"said\n") == said
