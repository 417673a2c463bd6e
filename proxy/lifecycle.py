"""How a process of ours runs: its event loop, its background tasks, and the way it stops."""

import asyncio
import ctypes
import gc
import resource
import signal
from asyncio import sslproto
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

THREADS = 32
"""For looking up names above all. A name server that hangs keeps some of them for half a minute,
and nobody else's lookup may wait for that. They start when they are needed."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_YOUNG = 10_000
"""Objects that may be made before the garbage collector looks for cycles among them. Python's own
700 are made by one batch, and hardly any of ours is in a cycle."""
DESCRIPTORS = 16_384
"""Open at once: three listeners' callers, the vendors' connections, Redis, files."""
EXIT_BY_SIGNAL = 128
"""Plus the signal's number: the exit status of a process that did not wait."""


AT_ONCE_BYTES = 48 * 1024
"""Read from a socket. asyncio makes a buffer of 256 KiB for each read, which `give_memory_back` has
the system map and unmap again: more work than to read a question."""


def read_less_at_once(transport: asyncio.BaseTransport) -> None:
    """For connections that bring little and often. For those of TLS see `keep_less_for_tls`."""
    if hasattr(transport, "max_size"):
        transport.max_size = AT_ONCE_BYTES


def keep_less_for_tls() -> None:
    """Each TLS connection from now on keeps a buffer of `AT_ONCE_BYTES`, three records of RFC 8446.

    asyncio gives each of them 256 KiB, in use or idle: 50 MiB for 50 vendors with four warm
    connections each.
    """
    sslproto.SSLProtocol.max_size = AT_ONCE_BYTES


class Tasks:
    """Background tasks. The event loop keeps only weak references, so this keeps strong ones."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a task; what it raises is told, and never lost."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._end)
        return task

    async def cancel(self, within_s: float = 1.0) -> None:
        """Ends every task; one that does not end in time is left behind."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=within_s)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)


class Leases:
    """Who still works with a thing that is to be closed: whoever is in a `with` of it."""

    __slots__ = ("_free", "_held")

    def __init__(self) -> None:
        self._held = 0
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> Self:
        return self

    def __enter__(self) -> None:
        if not self._held:
            self._free.clear()
        self._held += 1

    def __exit__(self, *_: object) -> None:
        self._held -= 1
        if not self._held:
            self._free.set()

    async def all_given_back(self) -> None:
        await self._free.wait()


class Stop:
    """Becomes set at the first SIGTERM or SIGINT. The second one cancels what is stopping."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._main: asyncio.Task[int] | None = None
        self._hurried_by: int | None = None

    @property
    def is_set(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        await self._asked.wait()

    def set(self) -> None:
        self._asked.set()

    async def guard(self, main: "Callable[[Stop], Coroutine[Any, Any, int]]") -> int:
        """Runs `main` under the signals; its exit status, or 128 + the second signal's number."""
        loop = asyncio.get_running_loop()
        self._main = loop.create_task(main(self))
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, self._signalled, one)
        try:
            return await self._main
        except asyncio.CancelledError:
            if self._hurried_by is None:
                raise
            return EXIT_BY_SIGNAL + self._hurried_by
        finally:
            for one in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(one)

    def _signalled(self, number: signal.Signals) -> None:
        if not self._asked.is_set():
            self._asked.set()
        elif self._main is not None:
            self._hurried_by = int(number)
            self._main.cancel()


def give_memory_back() -> bool:
    """Large buffers go back to the system as soon as they are free. Whether the C library does so.

    Left to itself, glibc takes them from its heap after a while, between small things that stay,
    and the memory of the busiest minute is kept for ever.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library than glibc
        return False
    options = {_M_MMAP_THRESHOLD: 64 * 1024, _M_TRIM_THRESHOLD: 128 * 1024}
    return all(set_option(option, size) for option, size in options.items())


def take_descriptors() -> int:
    """How many may be open from now on: as many as are ours to take, `DESCRIPTORS` at most.

    Under systemd and containerd a process begins with 1,024, which callers alone could fill.
    """
    ours, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    if ours == resource.RLIM_INFINITY or ours >= wanted:
        return ours
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return wanted


def settle() -> None:
    """What is loaded by now stays until the end, so the garbage collector need not look at it.

    A full collection over all modules takes 60 to 160 ms, in which nobody's question moves.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)


def run(main: Callable[[Stop], Coroutine[Any, Any, int]]) -> int:
    """The exit status of `main`, on asyncio's own event loop.

    uvloop 0.23 aborts the process when a server resets connections as they are made: aiohttp gives
    it a socket that is connected already, which it then closes twice.
    """

    async def guarded() -> int:
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolving")
        asyncio.get_running_loop().set_default_executor(threads)
        return await Stop().guard(main)

    give_memory_back()
    keep_less_for_tls()
    take_descriptors()
    with asyncio.Runner() as runner:
        return runner.run(guarded())
