"""`docs/metrics.md`, from the registry of a sidecar: `python -P -m tests.alerts.reference`."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.lookup import wall_clock
from proxy.app import Sidecar
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics

FILE = Path(__file__).parents[2] / "docs/metrics.md"
_HEAD = """\
# Metrics

All that a sidecar shows on `/metrics` of its ops listener (port 8651), in Prometheus' text
format. Made from the registry by `python -P -m tests.alerts.reference`; a test watches that it is
current.

A label holds a configured name or a word of a closed list, never anything about a customer.
`connection` is a name of the configuration, `-` what is no connection's. `tenant` is there only
with `metrics.by_tenant: true`: a tenant's name is a customer of Pedkai's, and whoever may read
`/metrics` reads it then. A question or exchange that ended for a `reason` has one of those in the
README's table. A histogram `X` shows as `X_bucket`, `X_sum` and `X_count`.

| metric | kind | labels | what it is |
|---|---|---|---|
"""
_TAIL = """
What to alert on is in [the runbook](runbook.md), what to look at in
`helm/bss-sidecar/files/dashboard.json`.
"""


def reference() -> str:
    """The whole page."""
    metrics = Metrics()
    Sidecar(Telemetry(Log(io.StringIO()), metrics), clock=wall_clock)
    return _HEAD + "".join(sorted(_rows(metrics.registry))) + _TAIL


def _rows(registry: Any) -> Iterator[str]:
    for collector in list(registry._collector_to_names):
        labels = getattr(collector, "_labelnames", None)
        # Families that are made at a scrape are described without reading anything.
        families = collector.describe() if labels is not None else _described(collector)
        for family in families:
            names = labels if labels is not None else getattr(family, "_labelnames", ())
            name = family.name + "_total" if family.type == "counter" else family.name
            shown = ", ".join(f"`{one}`" for one in names) or "–"
            text = family.documentation.replace("|", "\\|")
            yield f"| `{name}` | {family.type} | {shown} | {text} |\n"


def _described(collector: Any) -> Any:
    describe = getattr(collector, "describe", None)
    return describe() if describe is not None else collector.collect()


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
