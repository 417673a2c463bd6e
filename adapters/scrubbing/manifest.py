"""What was replaced, without what it was: a keyed hash tells equal values apart from others."""

import hmac
from dataclasses import dataclass, field
from typing import TypedDict

from adapters.scrubbing.kinds import Kind

HASH_CHARACTERS = 16
_MOST_ROWS = 10_000


class Row(TypedDict):
    """One replacement. The first three names are those of Pedkai's scrubber."""

    field_type: str
    """A `Kind`."""
    original_value_hash: str
    """The first 64 bits of an HMAC-SHA-256, in hexadecimal: without the key nobody can try out the
    fifteen digits of an IMSI until one fits."""
    replacement: str
    path: str
    """Where it was: `accounts[3].monthly_fee`; empty for a text by itself."""


@dataclass(slots=True)
class Manifest:
    """Grows while a value is scrubbed, up to a limit that no honest value reaches."""

    key: bytes = field(repr=False)
    rows: list[Row] = field(default_factory=list)

    def add(self, kind: Kind, original: str, path: str) -> str:
        """Notes a replacement; what stands in its place."""
        if len(self.rows) < _MOST_ROWS:
            told = f"{kind}\0{original}".encode("utf-8", "surrogatepass")
            digest = hmac.digest(self.key, told, "sha256").hex()
            self.rows.append(
                Row(
                    field_type=kind.value,
                    original_value_hash=digest[:HASH_CHARACTERS],
                    replacement=kind.replacement,
                    path=path,
                )
            )
        return kind.replacement
