"""What each lane went through, as an image: what was broken, how long answers took, what the
breakers did. All lanes have the same time axis, so the image is as wide as the run was long.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from tests.chaos.full import Outcome
from tests.chaos.pairs import CONTROL
from tests.chaos.timeline import Dot, Timeline

Axes: TypeAlias = Any
"""matplotlib's: it is installed for `make chaos` alone."""

SECONDS_PER_INCH, WIDTHS_INCH = 22, (18, 60)
"""A name that is written upright is a tenth of an inch wide: two seconds."""
PHASES_INCH, NAMES_INCH, LATENCY_INCH, BREAKER_INCH = 0.25, 1.65, 2.0, 0.17
STATES = {
    "closed": "#d3ead8", "half_open": "#f0b429", "open": "#c8403a",
    "forced_open": "#6d1f6b", "forced_closed": "#2b5c9e",
}  # fmt: skip
"""Only what is not as it should be catches the eye."""
FULL, DEGRADED, LATE = "#2f6fb0", "#e07b1a", "#b00020"
DEADLINES_MS = {450: "450 ms, for one", 1_900: "1.9 s, for a batch"}


def plot(outcome: Outcome, file: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415  (nothing else needs it)

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  (as above)

    timeline = outcome.timeline
    breakers = _breakers(timeline)
    heights = [PHASES_INCH]
    for lane in breakers.values():
        heights += [NAMES_INCH, LATENCY_INCH, BREAKER_INCH * len(lane)]
    ends_s = max((at for at, *_ in timeline.states), default=1.0)
    width = min(max(ends_s / SECONDS_PER_INCH, WIDTHS_INCH[0]), WIDTHS_INCH[1])
    figure, rows = plt.subplots(
        len(heights), 1, figsize=(width, sum(heights) + 0.25 * len(heights) + 1.2), sharex=True,
        height_ratios=heights, layout="constrained", squeeze=False,
    )  # fmt: skip
    figure.get_layout_engine().set(h_pad=0.01, hspace=0.005, w_pad=0.05)
    _phases(rows[0, 0], timeline, ends_s)
    lane_rows = [list(rows[at : at + 3, 0]) for at in range(1, len(heights), 3)]
    for (lane, names), (above, middle, below) in zip(breakers.items(), lane_rows, strict=True):
        _faults(above, lane, timeline)
        _latency(middle, [one for one in timeline.dots if one.lane == lane], outcome.allowance_s)
        _states(below, names)
    _time(rows[:, 0], timeline, ends_s)
    title = "Every answer of the sidecar under chaos, and what its breakers did"
    _legend(figure, plt, f"{title} (seed {outcome.plan.seed})")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _breakers(timeline: Timeline) -> Mapping[str, Mapping[str, Sequence[tuple[float, str]]]]:
    """By lane and breaker: from when on it was seen in which state."""
    seen: defaultdict[str, defaultdict[str, list[tuple[float, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for at, lane, breaker, state in timeline.states:
        seen[lane][breaker].append((at, state))
    return {lane: dict(sorted(one.items(), reverse=True)) for lane, one in sorted(seen.items())}


def _phases(axes: Axes, timeline: Timeline, ends_s: float) -> None:
    for (begin_s, name), (end_s, _) in pairwise([*timeline.phases, (ends_s, "")]):
        axes.barh(0, end_s - begin_s, left=begin_s, height=1, color="#eceef1", edgecolor="#555")
        if (end_s - begin_s) / SECONDS_PER_INCH > len(name) * 0.08:  # else it would stick out
            axes.text(begin_s, 0, f"  {name}", fontsize=10, style="italic", va="center")
    axes.axis("off")


def _faults(axes: Axes, lane: str, timeline: Timeline) -> None:
    """A box for as long as it was broken, and a paler one until all was answered again."""
    spans = [one for one in timeline.spans if one.lane == lane and one.name != CONTROL]
    for one in spans:
        broken_s, mending_s = one.healed_s - one.begin_s, one.end_s - one.healed_s
        axes.barh(0, broken_s, left=one.begin_s, height=1, color="#8a8f98", alpha=0.45)
        axes.barh(0, mending_s, left=one.healed_s, height=1, color="#8a8f98", alpha=0.15)
        axes.text(
            one.begin_s + min(broken_s, 4.5) / 2, -0.47, one.name.replace(" + ", "\n+ "),
            rotation=90, ha="center", va="bottom", fontsize=6.5, linespacing=1.0, clip_on=True,
        )  # fmt: skip
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    axes.set_ylabel("broken")
    axes.set_title(lane, loc="left", fontsize=12, fontweight="bold", pad=2)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _latency(axes: Axes, dots: Sequence[Dot], allowance_s: float) -> None:
    late = [one for one in dots if one.took_s > one.budget_s + allowance_s or one.is_wrong]
    _scatter(axes, [one for one in dots if one.is_full], s=7, color=FULL, zorder=2)
    _scatter(axes, [one for one in dots if not one.is_full], s=7, color=DEGRADED, zorder=3)
    _scatter(axes, late, s=60, color=LATE, marker="x", linewidths=1.5, zorder=4)
    for limit_ms, what in DEADLINES_MS.items():
        axes.axhline(limit_ms, color="#333", linewidth=0.8, linestyle=(0, (5, 4)), zorder=1)
        axes.annotate(
            what, (1, limit_ms), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", fontsize=8, va="center",
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(1, 5_000)
    axes.set_yticks([1, 10, 100, 1_000], ["1 ms", "10 ms", "100 ms", "1 s"])
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel("answered after")


def _scatter(axes: Axes, dots: Sequence[Dot], **style: Any) -> None:
    milliseconds = [max(one.took_s * 1_000, 1.0) for one in dots]
    axes.scatter(
        [one.at_s for one in dots], milliseconds, **{"linewidths": 0, "alpha": 0.75, **style}
    )


def _states(axes: Axes, breakers: Mapping[str, Sequence[tuple[float, str]]]) -> None:
    for row, seen in enumerate(breakers.values()):
        changes = [now for before, now in pairwise([(0.0, ""), *seen]) if before[1] != now[1]]
        for (at, state), (until, _) in pairwise([*changes, seen[-1]]):
            axes.barh(row, until - at, left=at, height=0.86, color=STATES[state])
    axes.set_yticks(range(len(breakers)), list(breakers), fontsize=8)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _time(rows: Sequence[Axes], timeline: Timeline, ends_s: float) -> None:
    """One axis for all of them, and lines where something else begins."""
    ticks = range(0, int(ends_s) + 1, 15 if ends_s < 1_800 else 60)
    rows[-1].set_xticks(list(ticks), [f"{one // 60}:{one % 60:02}" for one in ticks])
    rows[-1].set_xlim(0, ends_s)
    rows[-1].set_xlabel("minutes and seconds")
    for axes in rows[1:]:
        for at_s, _ in timeline.phases:
            axes.axvline(at_s, color="#555", linewidth=1.0, zorder=0)


def _legend(figure: Any, plt: Any, title: str) -> None:
    line, box = plt.Line2D, plt.Rectangle
    dots = {"answered in full": FULL, "answered in part, or 503": DEGRADED}
    handles = [
        line([], [], marker="o", linestyle="", color=colour, label=label)
        for label, colour in dots.items()
    ]
    handles.append(
        line([], [], marker="x", linestyle="", color=LATE, label="late or wrong", markersize=8)
    )
    grey = {"broken": 0.45, "mended, not yet well": 0.15}
    handles += [
        box((0, 0), 1, 1, color="#8a8f98", alpha=alpha, label=label)
        for label, alpha in grey.items()
    ]
    handles += [
        box((0, 0), 1, 1, color=colour, label=f"breaker {state.replace('_', ' ')}")
        for state, colour in STATES.items()
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), fontsize=9, frameon=False,
        title=title, title_fontsize=14, alignment="left",
    )  # fmt: skip
