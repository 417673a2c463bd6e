"""The alert rules as the chart brings them, and the same at a twentieth of their patience."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = ROOT / "helm/bss-sidecar/files"
ALERTS = FILES / "alerts.yaml"
DASHBOARD = FILES / "dashboard.json"
RUNBOOK = ROOT / "docs/runbook.md"

UNITS_S: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST_S = 5
"""Of a window: with a scrape a second, it always holds some samples."""
FOR = "2s"
HURRY = 20
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")


def groups() -> list[dict[str, Any]]:
    return list(yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"])


def alerts() -> Iterator[dict[str, Any]]:
    return (rule for group in groups() for rule in group["rules"] if "alert" in rule)


def hurried(most_s: int) -> dict[str, Any]:
    """The rules with nothing changed but how long they look back, and for how long they wait.

    A window is a twentieth of itself, from `SHORTEST_S` up to `most_s` seconds.
    """
    hurried_groups = groups()
    for group in hurried_groups:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = _WINDOW.sub(lambda found: _shorter(found, most_s), rule["expr"])
            if "for" in rule:
                rule["for"] = FOR
    return {"groups": hurried_groups}


def _shorter(window: re.Match[str], most_s: int) -> str:
    seconds = int(window[1]) * UNITS_S[window[2]] // HURRY
    return f"[{min(max(seconds, SHORTEST_S), most_s)}s]"
