"""Under which names entries are kept: keyed hashes, which say nothing to who has no key.

What is hashed is written part by part with its length before it, and begins with what kind of
name it is: no two questions about anybody ever share a name.
"""

import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Literal, TypeAlias
from uuid import UUID

from proxy.cache.keys import KeyRing

PREFIX = b"bss1:"
"""Of every name, so that an operator sees in a shared Redis whose it is."""

Question: TypeAlias = Literal["billing", "disputes"]
"""What was asked of a customer. Other answers are other entries."""


class Names:
    """Makes names under each key of a ring."""

    __slots__ = ("_keys",)

    def __init__(self, ring: KeyRing) -> None:
        self._keys = ring.keys

    def of(self, tenant: str, connection: str, question: Question, customer_id: UUID) -> bytes:
        """Where the entry is written, and looked for first."""
        return _name(self._keys[0], _place(tenant, connection, question), customer_id)

    def every(
        self, tenant: str, connection: str, question: Question, customer_id: UUID
    ) -> tuple[bytes, ...]:
        """Where the entry may be while the ring rotates; `of` comes first."""
        place = _place(tenant, connection, question)
        return tuple(_name(key, place, customer_id) for key in self._keys)

    def tombstones(self, tenant: str, connection: str, customer_id: UUID) -> tuple[bytes, ...]:
        """Where it is written that the customer was forgotten: one for both questions, each key."""
        place = _grave(tenant, connection)
        return tuple(_name(key, place, customer_id) for key in self._keys)


@lru_cache(maxsize=4096)
def scope(tenant: str, connection: str, question: Question) -> bytes:
    """Whom an entry belongs to, and to which question; it is sealed in, and written nowhere."""
    return _framed(tenant, connection, question)


@lru_cache(maxsize=4096)
def _place(tenant: str, connection: str, question: Question) -> bytes:
    return _framed("entry", tenant, connection, question)


@lru_cache(maxsize=4096)
def _grave(tenant: str, connection: str) -> bytes:
    return _framed("tombstone", tenant, connection)


def _framed(*parts: str) -> bytes:
    """Each part with its length before it: it can be read back in one way only."""
    encoded = (part.encode("utf-8", "surrogatepass") for part in parts)
    return b"".join(len(part).to_bytes(4) + part for part in encoded)


def _name(key: bytes, place: bytes, customer_id: UUID) -> bytes:
    digest = hmac.digest(key, place + customer_id.bytes, "sha256")
    return PREFIX + urlsafe_b64encode(digest).rstrip(b"=")
