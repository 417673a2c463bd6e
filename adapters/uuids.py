"""`UUID`s from their parts. The class's own constructor takes three times as long, which is longer
than all else that is done with the id of one customer in a batch.
"""

from collections import deque
from itertools import chain, repeat
from struct import Struct
from typing import Final
from uuid import UUID, SafeUUID

LENGTH: Final = 16
"""Bytes of one."""

# Frozen against assignment; these are the ways that its slots themselves know.
_set_int = UUID.__dict__["int"].__set__
_set_is_safe = UUID.__dict__["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown
_new = object.__new__
_each = Struct(f"{LENGTH}s").iter_unpack
"""One format for batches of all sizes: `struct` keeps each that it has met."""


def uuid_of(text: str) -> UUID:
    """Of what is known to be 8-4-4-4-12 hexadecimal digits."""
    made = _new(UUID)
    _set_int(made, int(text.replace("-", ""), 16))
    _set_is_safe(made, _UNKNOWN)
    return made


def uuids_of_bytes(octets: bytes) -> list[UUID]:
    """Of many, one directly after the other. Raises `ValueError` unless each has its 16 bytes."""
    number, beyond = divmod(len(octets), LENGTH)
    if beyond:
        raise ValueError
    made = [*map(_new, repeat(UUID, number))]
    ints = map(int.from_bytes, chain.from_iterable(_each(octets)))
    deque(map(_set_int, made, ints), maxlen=0)
    deque(map(_set_is_safe, made, repeat(_UNKNOWN)), maxlen=0)
    return made


def uuid_of_bytes(sixteen: bytes) -> UUID:
    """Raises `ValueError` unless it is 16 bytes."""
    if len(sixteen) != LENGTH:
        raise ValueError
    made = _new(UUID)
    _set_int(made, int.from_bytes(sixteen))
    _set_is_safe(made, _UNKNOWN)
    return made
