"""What came of the runs, as a picture: `python -m tests.bench.fleet.plots RESULTS.json FOLDER`."""

import json
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from tests.bench.fleet.rotation import GOES_ON_S, SETTLES_S
from tests.bench.fleet.tables import Told

BESIDE = frozenset({"none of the four", "4 warm, over 90 s"})
"""What is drawn dashed."""
PANELS = (
    ("calls", "calls to the vendor, each second"),
    ("connections", "connections to the vendor"),
    ("tokens", "token requests, each second"),
    ("redis_ops", "Redis operations, each second"),
)


def draw(results: Sequence[Told], file: Path, *, seconds: int) -> None:
    """One panel for each figure, one line for each run."""
    mpl.rcParams["svg.hashsalt"] = "fleet"
    figure, panels = plt.subplots(2, 2, figsize=(11, 7), constrained_layout=True)
    for (name, title), panel in zip(PANELS, panels.flat, strict=True):
        for one in results:
            series = drawn(one, name, seconds)
            if series:
                label = f"{one['sidecars']:,}: {one['name']}"
                style = "--" if one["name"] in BESIDE else "-"
                panel.plot(series, style, label=label, linewidth=1.3)
        panel.set_title(title, fontsize=10)
        panel.set_yscale("symlog")
        panel.set_ylim(bottom=0)
        panel.set_xlabel("seconds", fontsize=8)
    panels.flat[0].legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def drawn(one: Told, name: str, seconds: int) -> Sequence[int]:
    """To the end of the run. Connections stay while nobody opens or closes one."""
    if one["spread_s"] is not None:
        seconds = min(seconds, round(SETTLES_S + one["spread_s"] + GOES_ON_S))
    told = one["by_second"].get(name, [])[:seconds]
    if name != "connections":
        return told
    return list(accumulate(told, lambda before, now: now or before))


def main(arguments: Sequence[str]) -> None:
    results: list[Any] = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    outages = [one for one in results if one["spread_s"] is None]
    rotations = [one for one in results if one["spread_s"] is not None]
    for name, some, seconds in (("outage", outages, 60), ("rotation", rotations, 110)):
        if some:
            draw(some, Path(arguments[1]) / f"capacity-{name}.svg", seconds=seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
