"""Background tasks are kept and heard, and a process stops as it is asked."""

import asyncio
import gc
import os
import platform
import signal
import subprocess
import sys
from asyncio import sslproto
from pathlib import Path

import pytest

from proxy.lifecycle import AT_ONCE_BYTES, Stop, Tasks, give_memory_back, run, settle


def test_what_is_loaded_is_not_looked_at_by_the_garbage_collector_again() -> None:
    settle()
    try:
        assert gc.get_freeze_count() > len(sys.modules)
    finally:
        gc.unfreeze()


async def test_a_task_that_nobody_holds_still_runs_to_its_end() -> None:
    tasks = Tasks(lambda _error: None)
    begin, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await begin.wait()
        done.set()

    tasks.spawn(work())
    await asyncio.sleep(0)
    gc.collect()
    begin.set()
    async with asyncio.timeout(5):
        await done.wait()


async def test_what_a_task_raises_is_told_and_its_cancellation_is_not() -> None:
    errors: list[BaseException] = []
    tasks = Tasks(errors.append)

    async def fail() -> None:
        raise ValueError

    async def hang() -> None:
        await asyncio.Event().wait()

    failing, hanging = tasks.spawn(fail()), tasks.spawn(hang())
    await asyncio.wait({failing})
    await tasks.cancel()
    assert hanging.cancelled()
    assert [type(error) for error in errors] == [ValueError]


async def test_a_task_that_does_not_end_is_left_behind() -> None:
    tasks = Tasks(lambda _error: None)
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = tasks.spawn(stubborn())
    await asyncio.sleep(0)
    await tasks.cancel(within_s=0.01)
    assert not task.done()
    release.set()
    await task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_to_stop(number: signal.Signals) -> None:
    async def main(stop: Stop) -> int:
        assert not stop.is_set
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stop.wait()
        return 7

    assert run(main) == 7


def test_the_second_signal_ends_what_is_stopping_and_everything_is_still_closed() -> None:
    closed = []

    async def main(stop: Stop) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            closed.append("all")
        return 0

    assert run(main) == 128 + signal.SIGINT
    assert closed == ["all"]


def test_a_cancellation_that_no_signal_asked_for_is_not_hidden() -> None:
    async def main(stop: Stop) -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main)


def test_the_signals_are_given_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def main(stop: Stop) -> int:
        return 0

    run(main)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the option")
def test_large_buffers_go_back_to_the_system() -> None:
    assert give_memory_back()


def test_a_tls_connection_keeps_no_more_memory_than_it_reads_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sslproto.SSLProtocol, "max_size", 256 * 1024)  # and so again afterwards

    async def main(stop: Stop) -> int:
        return sslproto.SSLProtocol.max_size

    assert run(main) == AT_ONCE_BYTES


def test_a_process_takes_the_descriptors_that_are_its_own() -> None:
    script = """
import resource
from proxy.lifecycle import take_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
assert take_descriptors() == 512
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (512, 512)
assert take_descriptors() == 512
"""
    subprocess.run((sys.executable, "-c", script), check=True, cwd=Path(__file__).parents[2])
