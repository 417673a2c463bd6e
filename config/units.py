"""Durations and sizes with units, as people write them in a configuration file."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

_DURATION = r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$"
_SIZE = r"^(\d+)(B|KiB|MiB|GiB)$"


def parse_duration(text: object) -> float:
    """Seconds of `450ms`, `1.9s`, `5m`, `1h`, `7d`."""
    match = re.fullmatch(_DURATION, text.strip()) if isinstance(text, str) else None
    if not match or float(match[1]) == 0:
        raise ValueError("write a duration above zero with its unit, such as 450ms, 1.9s or 5m")
    return float(match[1]) * _SECONDS[match[2]]


def parse_size(text: object) -> int:
    """Bytes of `512B`, `64KiB`, `8MiB`."""
    match = re.fullmatch(_SIZE, text.strip()) if isinstance(text, str) else None
    if not match or int(match[1]) == 0:
        raise ValueError("write a size above zero with its unit, such as 64KiB or 8MiB")
    return int(match[1]) * _BYTES[match[2]]


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": _DURATION})
]
"""Seconds."""
Size = Annotated[
    int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "pattern": _SIZE})
]
"""Bytes."""
