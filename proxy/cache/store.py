"""What keeps bytes under names for a while, and how it says that it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

FailureKind: TypeAlias = Literal[
    "timeout",  # no answer in time
    "refused",  # nobody there, or hung up
    "starting",  # there, and not ready: loading, or failing over
    "tls",
    "auth",  # unknown login, or one that may not do this
    "readonly",  # takes no writes now
    "full",
    "protocol",  # what it says makes no sense
    "closed",  # by ourselves
]
Persistence: TypeAlias = Literal["none", "rdb", "aof", "rdb+aof", "unknown"]

MOST_NAMES = 1000
"""In one command, so that nobody else waits for it for long."""

_WORDS: dict[FailureKind, str] = {
    "timeout": "the store did not answer in time",
    "refused": "the store can't be reached",
    "starting": "the store is not ready yet",
    "tls": "no TLS session with the store",
    "auth": "the store does not accept the login, or forbids it this",
    "readonly": "the store takes no writes",
    "full": "the store is full",
    "protocol": "the store's answer makes no sense",
    "closed": "the store is closed",
}


class StoreFailed(Exception):  # noqa: N818  (says what happened, as `LookupFailed` does)
    """In our own words. Nothing that the server said is in it."""

    def __init__(self, kind: FailureKind) -> None:
        super().__init__(_WORDS[kind])
        self.kind: FailureKind = kind


@dataclass(frozen=True, slots=True)
class Put:
    """What is to be kept under a name."""

    name: bytes
    value: bytes
    ttl_s: float
    unless: Sequence[bytes] = ()
    """Tombstones. It does not stay while one of them is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What is known of a store, for the operator."""

    kind: str
    """`memory`, `redis`, `redis-sentinel` or `redis-cluster`."""
    entries: int | None = None
    """Kept now; `None`: not known, or others keep theirs beside them."""
    size: int | None = None
    """Bytes, names included."""
    persistence: Persistence = "unknown"
    """How what is kept reaches a disk."""
    warning: str = ""
    """What the operator should think about, if anything."""


class Store(Protocol):
    """Every method but `aclose` raises `StoreFailed`, and nothing else of the store's.

    Whoever is cancelled while asking disturbs nobody. A write that has begun goes on.
    """

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        """In the order of `names`, at most `MOST_NAMES`; `None`: nothing is kept, or no bytes."""
        ...

    async def put_many(self, entries: Sequence[Put]) -> None:
        """Once it is done, nothing of it is there whose tombstone was there before."""
        ...

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        """Puts `tombstones` for `ttl_s`, then removes `names`.

        Raises `StoreFailed` unless all of it is done; then some of it may be done.
        """
        ...

    async def facts(self) -> StoreFacts: ...

    async def aclose(self) -> None: ...
