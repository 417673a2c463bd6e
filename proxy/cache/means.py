"""What a cache works with at the moment."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from proxy.cache.envelope import Envelopes
from proxy.cache.gather import Reads
from proxy.cache.store import Store

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task and keeps it alive until it ends."""


@dataclass(slots=True)
class Means:
    """Each may be replaced at any time: by other keys, or by a store that has another login.

    Whoever works with one looks here at each step, and keeps it for no longer than a step.
    """

    envelopes: Envelopes
    reads: Reads
    store: Store
