"""The forms in which something may be written so that a search for it as it is would miss it."""

import pickle
import struct
import zlib
from base64 import b16encode, b32encode, b64encode, b85encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

SHORTEST = 4
"""What is shorter is found anywhere, even in little."""


def of_text(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        yield text.encode(encoding)
        yield text.swapcase().encode(encoding)


def of_uuid(one: UUID) -> Iterator[bytes]:
    yield from (one.bytes, one.bytes_le, one.bytes[::-1])
    for text in (str(one), one.hex, str(one.int), one.urn):
        yield from of_text(text)


def of_fee(fee: Decimal) -> Iterator[bytes]:
    yield from of_text(str(fee))
    yield from of_text(str(int(fee * 100)))
    for order in "<>":
        yield struct.pack(order + "d", float(fee))
        yield struct.pack(order + "q", int(fee * 100))
        yield struct.pack(order + "i", int(fee * 100))


def everywhere(raw: bytes) -> Iterator[bytes]:
    """Wherever in an encoding of something longer it may begin."""
    yield from (raw, raw[::-1], zlib.compress(raw)[2:-4], pickle.dumps(raw)[2:])
    yield from (b16encode(raw), raw.hex().encode(), b32encode(raw).rstrip(b"="), b85encode(raw))
    yield from _in_base64(raw)


def disguised(every: Iterable[bytes], *, shortest: int = SHORTEST) -> set[bytes]:
    """Without forms so short that chance alone would write them."""
    return {form for raw in every for form in everywhere(raw) if len(form) >= shortest}


def _in_base64(raw: bytes) -> Iterator[bytes]:
    for before in range(3):
        whole = 4 * ((before + len(raw)) // 3)
        begins = -(-before * 4 // 3)
        for encoded in (b64encode, urlsafe_b64encode):
            yield encoded(bytes(before) + raw)[begins:whole]
