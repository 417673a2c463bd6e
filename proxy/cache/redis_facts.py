"""Whether a Redis writes what it keeps to a disk."""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import ResponseError

from proxy.cache.store import Persistence, StoreFacts


async def persistence_of(ask: Callable[..., Awaitable[Any]]) -> Persistence:
    """`ask`: a command, whose reply comes parsed. Managed services often forbid `CONFIG`."""
    try:
        info = await ask("INFO", "persistence")
        is_file_appended = bool(info["aof_enabled"])
        has_saved = info.get("rdb_last_bgsave_time_sec", -1) != -1
    except (ResponseError, AttributeError, KeyError, TypeError):
        return "unknown"
    try:
        saves = bool((await ask("CONFIG GET", "save"))["save"])
    except (ResponseError, KeyError, TypeError):
        if not has_saved:
            return "aof" if is_file_appended else "unknown"
        saves = True
    return _both(is_saved=saves, is_file_appended=is_file_appended)


def together(parts: list[Persistence]) -> Persistence:
    """Of nodes of one cluster."""
    if "unknown" in parts or not parts:
        return "unknown"
    return _both(
        is_saved=any("rdb" in part for part in parts),
        is_file_appended=any("aof" in part for part in parts),
    )


def facts_of(kind: str, persistence: Persistence) -> StoreFacts:
    return StoreFacts(kind=kind, persistence=persistence, warning=_warning(persistence))


def _both(*, is_saved: bool, is_file_appended: bool) -> Persistence:
    if is_saved:
        return "rdb+aof" if is_file_appended else "rdb"
    return "aof" if is_file_appended else "none"


def _warning(persistence: Persistence) -> str:
    if persistence == "none":
        return ""
    if persistence == "unknown":
        return "it can't be told whether Redis writes sealed entries to a disk"
    return f"Redis writes sealed entries to a disk ({persistence}), where they outlive their time"
