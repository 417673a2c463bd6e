"""Latency and the breakers' states over time, as an image; matplotlib is only here."""

from itertools import pairwise
from pathlib import Path

from tests.chaos.full import Outcome
from tests.chaos.timeline import Timeline

_COLOURS = {
    "closed": "#3a9d5d", "half_open": "#e0a52e", "open": "#c8403a",
    "forced_open": "#6d1f6b", "forced_closed": "#2b5c9e",
}  # fmt: skip


def plot(outcome: Outcome, file: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415  (nothing else needs it)

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  (as above)

    timeline = outcome.timeline
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(16, 10), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    _latency(above, timeline)
    _states(below, timeline)
    title = "bss-sidecar under chaos: latency of every answer, and its breakers"
    figure.suptitle(f"{title} (seed {outcome.plan.seed})")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _latency(axes, timeline: Timeline) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  (imported late)
    for is_full, colour, label in ((True, "#3a6ea5", "in full"), (False, "#c8703a", "degraded")):
        dots = [one for one in timeline.dots if one.is_full is is_full]
        axes.scatter(
            [one.at_s for one in dots],
            [one.took_s * 1_000 for one in dots],
            s=3, alpha=0.4, color=colour, label=f"answered {label}", linewidths=0,
        )  # fmt: skip
    for limit_ms, what in ((450, "deadline of one"), (1_900, "deadline of a batch")):
        axes.axhline(limit_ms, color="#444", linewidth=0.8, linestyle="--")
        axes.annotate(what, (0, limit_ms), xytext=(2, 2), textcoords="offset points", fontsize=8)
    axes.set_yscale("log")
    axes.set_ylabel("latency, ms")
    axes.legend(loc="lower right", markerscale=4)


def _states(axes, timeline: Timeline) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  (imported late)
    names = sorted({(lane, breaker) for _, lane, breaker, _ in timeline.states})
    for row, (lane, breaker) in enumerate(names):
        seen = [(at, state) for at, *who, state in timeline.states if who == [lane, breaker]]
        for (at, state), (until, _) in pairwise(seen):
            axes.barh(row, until - at, left=at, height=0.8, color=_COLOURS.get(state, "#999"))
    for one in timeline.spans:
        if one.name != "no_fault":
            axes.axvline(one.begin_s, color="#000", alpha=0.06, linewidth=0.6)
    axes.set_yticks(range(len(names)), [f"{lane}: {breaker}" for lane, breaker in names])
    axes.set_xlabel("seconds")
    handles = [axes.barh(0, 0, color=colour, label=state) for state, colour in _COLOURS.items()]
    axes.legend(handles=handles, loc="upper right", ncols=len(handles), fontsize=8)
