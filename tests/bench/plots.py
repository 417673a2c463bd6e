"""A measure as an image: one bar for each contender, and how far its rounds reached."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.figures import UNITS, Row
from tests.bench.report import Measured

OURS, THEIRS = "#2f6fb0", "#b9bec6"
_LINE_INCH, _WIDTH_INCH = 0.34, 9.0
_LABEL = 46


def plotted(measures: Sequence[Measured], folder: Path) -> dict[str, Path]:
    """The files that were made, by the name of a measure; none without matplotlib."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  (nothing else needs it)
    except ImportError:
        return {}
    mpl.use("Agg")
    # The same figures give the same bytes.
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for one in measures:
        rows = [row for row in one.findings.rows if one.plot and one.plot in row.figures]
        if rows:
            made[one.name] = folder / f"bench-{one.name}.svg"
            _plot(one, rows, made[one.name])
    return made


def _plot(one: Measured, rows: Sequence[Row], file: Path) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415  (as above)

    figure, axes = plt.subplots(
        figsize=(_WIDTH_INCH, 0.9 + _LINE_INCH * len(rows)), layout="constrained"
    )
    samples = [row.figures[one.plot] for row in rows]
    middle = [sample.median for sample in samples]
    reach = [
        [sample.median - sample.low for sample in samples],
        [sample.high - sample.median for sample in samples],
    ]
    colours = [OURS if row.contender.startswith("sidecar") else THEIRS for row in rows]
    axes.barh(range(len(rows)), middle, xerr=reach, color=colours, ecolor="#333", capsize=2)
    axes.set_yticks(range(len(rows)), [_shortened(row.contender) for row in rows])
    axes.invert_yaxis()
    for at, figure_of in enumerate(middle):
        axes.annotate(
            f"{figure_of:,.{UNITS[one.plot][1]}f}", (figure_of + reach[1][at], at), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    axes.set_title(f"{one.title}: {UNITS[one.plot][0]}", loc="left", fontsize=10)
    axes.margins(x=0.12)
    _bare(axes)
    figure.savefig(file, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # matplotlib leaves spaces at the ends of lines.
    text = file.read_text(encoding="utf-8")
    file.write_text("\n".join(map(str.rstrip, text.splitlines())) + "\n", encoding="utf-8")


def _bare(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _shortened(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
