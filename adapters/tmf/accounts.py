"""The contract's account id. It must be a UUID; vendors write numbers and free strings."""

import re
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_VERSION_5 = (5 << 76) | (0b10 << 62)
"""Bits that tell a name-based UUID (RFC 9562, section 5.5); all others are free."""
_FREE = ((1 << 128) - 1) & ~((0b1111 << 76) | (0b11 << 62))
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def account_uuid(connection: str, vendor_id: str) -> UUID:
    """The stable UUID of a vendor's account.

    A UUID passes as it is. Anything else becomes a UUIDv5 in a namespace of the connection's own,
    so that equal account numbers of two vendors stay two accounts.
    """
    if _UUID.fullmatch(vendor_id):
        return UUID(vendor_id)
    digest = _namespace(connection).copy()
    digest.update(vendor_id.encode())
    return UUID(int=(int.from_bytes(digest.digest()[:16]) & _FREE) | _VERSION_5)


@lru_cache(maxsize=256)  # of few connections, and asked for with every customer
def _namespace(connection: str) -> "Hash":
    return sha1(uuid5(NAMESPACE_URL, connection).bytes, usedforsecurity=False)
