"""Under which names entries are kept: keyed hashes, which say nothing to who has no key.

What is hashed is written part by part with its length before it, and begins with what kind of
name it is: no two questions about anybody ever share a name.
"""

from binascii import b2a_base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from proxy.cache.keys import KeyRing

PREFIX = b"bss1:"
"""Of every name, so that an operator sees in a shared Redis whose it is."""

Question: TypeAlias = Literal["billing", "disputes"]
"""What was asked of a customer. Other answers are other entries."""


MOST_PLACES = 4096
"""Tenants' connections, by question, whose names were made lately."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ID_BYTES = 16
_APART = b"\0"
"""Between digests of 32 bytes: with it each is written in 44 characters of its own, of which the
last says nothing of it."""
_STEP = 44


class Names:
    """Makes names under each key of a ring.

    What is the same for all names of a place is hashed once: a name then takes half the time.
    """

    __slots__ = ("_begun", "_keys")

    def __init__(self, ring: KeyRing) -> None:
        self._keys = ring.keys
        self._begun: dict[bytes, tuple[HMAC, ...]] = {}

    def of(self, tenant: str, connection: str, question: Question, customer_id: UUID) -> bytes:
        """Where the entry is written, and looked for first."""
        return _name(self._begun_of(_place(tenant, connection, question))[0], customer_id)

    def every(
        self, tenant: str, connection: str, question: Question, customer_id: UUID
    ) -> tuple[bytes, ...]:
        """Where the entry may be while the ring rotates; `of` comes first."""
        place = _place(tenant, connection, question)
        return tuple(_name(begun, customer_id) for begun in self._begun_of(place))

    def of_one(
        self, tenant: str, connection: str, question: Question, customer_id: UUID
    ) -> list[bytes]:
        """As `every`."""
        begun = self._begun.get(_place(tenant, connection, question))
        if begun is None or len(begun) != 1:
            return list(self.every(tenant, connection, question, customer_id))
        return [_name(begun[0], customer_id)]

    def of_all(
        self, tenant: str, connection: str, question: Question, customer_ids: Iterable[UUID]
    ) -> list[list[bytes]]:
        """For each key of the ring, first the one of `of`: the names of all, in their order."""
        place = _place(tenant, connection, question)
        return [_names(begun, customer_ids) for begun in self._begun_of(place)]

    def tombstones(self, tenant: str, connection: str, customer_id: UUID) -> tuple[bytes, ...]:
        """Where it is written that the customer was forgotten: one for both questions, each key."""
        place = _grave(tenant, connection)
        return tuple(_name(begun, customer_id) for begun in self._begun_of(place))

    def _begun_of(self, place: bytes) -> tuple[HMAC, ...]:
        begun = self._begun.get(place)
        if begun is None:
            if len(self._begun) >= MOST_PLACES:
                del self._begun[next(iter(self._begun))]
            begun = self._begun[place] = tuple(_begin(key, place) for key in self._keys)
        return begun


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


def _begin(key: bytes, place: bytes) -> HMAC:
    begun = HMAC(key, SHA256())
    begun.update(place)
    return begun


def _name(begun: HMAC, customer_id: UUID) -> bytes:
    mac = begun.copy()
    mac.update(customer_id.int.to_bytes(_ID_BYTES))
    return PREFIX + b2a_base64(mac.finalize(), newline=False).translate(_URL_SAFE, b"=")


def _names(begun: HMAC, customer_ids: Iterable[UUID]) -> list[bytes]:
    """As `_name`, of all of them; what can be done at one go takes half as long."""
    digests = []
    for one in customer_ids:
        mac = begun.copy()
        mac.update(one.int.to_bytes(_ID_BYTES))
        digests.append(mac.finalize())
    text = b2a_base64(b"".join([_APART.join(digests), _APART]), newline=False).translate(_URL_SAFE)
    return [PREFIX + text[at : at + _STEP - 1] for at in range(0, _STEP * len(digests), _STEP)]
