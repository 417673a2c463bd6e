"""The text of `/metrics`, written a piece at a time, so that no question waits for a whole scrape.

Source: Prometheus' text format, version 0.0.4.
"""

import asyncio
from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

PIECE = 250
"""Lines between which others have their turn: about a millisecond."""
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


async def rendered(registry: Collector) -> bytes:
    """What Prometheus reads. Each family is of one moment; they are milliseconds apart."""
    pieces: list[str] = []
    lines: list[str] = []
    for family in registry.collect():
        for line in _lines(family):
            lines.append(line)
            if len(lines) >= PIECE:
                pieces.append("".join(lines))
                lines.clear()
                await asyncio.sleep(0)
    return "".join((*pieces, *lines)).encode()


def _lines(family: Metric) -> Iterator[str]:
    name = family.name + "_total" if family.type == "counter" else family.name
    kind = "untyped" if family.type == "unknown" else family.type
    yield f"# HELP {name} {family.documentation.translate(_HELP_ESCAPES)}\n"
    yield f"# TYPE {name} {kind}\n"
    for sample in family.samples:
        value = floatToGoString(sample.value)  # type: ignore[no-untyped-call]  # it has no types
        yield f"{sample.name}{_labels(sample)} {value}\n"


def _labels(sample: Sample) -> str:
    """Names are ours, and need no escaping; a connection's name may stand in a value."""
    if not sample.labels:
        return ""
    pairs = [f'{name}="{_value(value)}"' for name, value in sorted(sample.labels.items())]
    return "{" + ",".join(pairs) + "}"


def _value(value: str) -> str:
    return value if value.isidentifier() else value.translate(_ESCAPES)
