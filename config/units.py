"""Durations and sizes with units, as people write them in a configuration file."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

DURATION = r"^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$"
SIZE = r"^([0-9]{1,9})(B|KiB|MiB|GiB)$"
_YEAR_S = 365 * 86_400.0
_TERABYTE = 1024**4


def parse_duration(text: object) -> float:
    """Seconds of `450ms`, `1.9s`, `5m`, `1h`, `7d`."""
    match = re.fullmatch(DURATION, text.strip()) if isinstance(text, str) else None
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _YEAR_S:
        raise ValueError("a duration above zero with its unit, such as 450ms, 1.9s or 5m")
    return seconds


def parse_duration_or_zero(text: object) -> float:
    """Seconds of a duration, or of `0s`."""
    return 0.0 if isinstance(text, str) and text.strip() == "0s" else parse_duration(text)


def parse_size(text: object) -> int:
    """Bytes of `512B`, `64KiB`, `8MiB`."""
    match = re.fullmatch(SIZE, text.strip()) if isinstance(text, str) else None
    size = int(match[1]) * _BYTES[match[2]] if match else 0
    if not 0 < size <= _TERABYTE:
        raise ValueError("a size above zero with its unit, such as 64KiB or 8MiB")
    return size


def format_duration(seconds: float) -> str:
    """As `parse_duration` reads it, in the largest unit that leaves a number without fraction."""
    milliseconds = round(seconds * 1000, 6)
    if not milliseconds:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        count = milliseconds / (_SECONDS[unit] * 1000)
        if count == int(count):
            return f"{int(count)}{unit}"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.9f}".rstrip("0") + "s"
    return f"{milliseconds:.6f}".rstrip("0").rstrip(".") + "ms"


def format_size(size: int) -> str:
    """As `parse_size` reads it, in the largest unit that divides it."""
    unit = next(unit for unit in reversed(_BYTES) if size % _BYTES[unit] == 0)
    return f"{size // _BYTES[unit]}{unit}"


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": DURATION})
]
"""Seconds."""
DurationOrZero = Annotated[
    float,
    BeforeValidator(parse_duration_or_zero),
    WithJsonSchema({"type": "string", "pattern": DURATION}),
]
"""Seconds; `0s` switches off what it is about."""
Size = Annotated[
    int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "pattern": SIZE})
]
"""Bytes."""
