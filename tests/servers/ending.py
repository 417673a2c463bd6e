"""How a process that a test has started is ended: nobody waits for one that does not."""

import asyncio
from contextlib import suppress

PATIENCE_S = 30.0


async def end(process: asyncio.subprocess.Process, *, within_s: float = PATIENCE_S) -> int:
    """SIGTERM; the exit status. What does not end by itself is killed, and that fails the test."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            return await process.wait()
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    raise AssertionError(f"process {process.pid} did not end within {within_s:.0f} s of SIGTERM")
