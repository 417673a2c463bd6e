"""The clock by which a guard counts: it never jumps, whatever happens to the date."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Seconds since a moment that does not matter, as deadlines are counted in."""


def loop_time() -> float:
    """The running loop's clock."""
    return asyncio.get_running_loop().time()
