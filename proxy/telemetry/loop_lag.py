"""How late the event loop is, measured a few times a second while the sidecar runs."""

import asyncio
from collections.abc import Callable

BEAT_S = 0.5


async def watch_loop(tell: Callable[[float], None], *, beat_s: float = BEAT_S) -> None:
    """Tells, for ever, by how many seconds the event loop overslept."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + beat_s
        await asyncio.sleep(beat_s)
        tell(max(0.0, clock() - due))
