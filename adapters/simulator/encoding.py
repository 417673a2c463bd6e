"""How the vendor writes JSON, and how it compares words."""

import json


def fold(text: str) -> str:
    """Words are compared trimmed and without regard to case."""
    return text.strip().casefold()


def encode(row: object) -> bytes:
    """JSON; a `Decimal` becomes a number, which float prints shortest and therefore exactly."""
    return json.dumps(row, default=float, separators=(",", ":")).encode()
