"""What is measured: one module for each measure, or for a few that share their stage.

A module here has a `MEASURES` tuple, and is found by being here: `NAMES` fixes the order. To add
one, write `tests/bench/measures/<name>.py`:

    async def _run(stage: Stage, rounds: int) -> Findings: ...

    MEASURES = (Measure(name="single", title="…", targets=(Target(…),), run=_run),)

- `stage` (`tests.bench.stage`) starts everything: `await stage.redis()`, `await stage.vendor(…)`,
  `await stage.sidecar(name, Setting(…))`, `await stage.program(…)`; all of it is ended with the
  measure. `stage.full` says whether there is time for more than quick figures.
- `rounds` are interleaved: `await stage.in_turn(rounds, {"sidecar": burst, "bare": burst})` calls
  each in turn, A B A B, with a bar on the terminal; each gives a mapping from figure to number
  (names of `figures.UNITS`), and it returns a mapping from contender to a `Sample` of each figure.
  `stage.burst(program, load)` makes such a burst: CPU per request, p50, p99, requests per second.
- `Findings.measured` holds a `Sample` under each target's `name`, made with `Sample.over` (ratios
  round by round). What could not be measured is left out: it counts as `not measured`.
- A contender that is not installed raises `NotHere` (`tests.servers.strict`): make it a row with
  that text as its note. A measure that fails is told, and the others go on.
- `what` of a target is the line of the promise in words: it stands in the table as it is.
- `quick=False`: it takes too long for the quick run, and is in the full one alone.
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.bench.figures import Findings, Target
from tests.bench.stage import Stage

Run: TypeAlias = Callable[[Stage, int], Awaitable[Findings]]

NAMES = ("single", "batch", "proxies", "uncached", "pod", "footprint", "growth", "sla", "soak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something to measure, and what is promised of it."""

    name: str
    """What `ONLY=` calls it."""
    title: str
    """Heading of its table, in plain words."""
    targets: Sequence[Target] = field(default_factory=tuple)
    run: Run
    rounds: tuple[int, int] = (7, 21)
    """Quick and full."""
    about_s: tuple[float, float] = (30, 120)
    """How long it takes, more or less: quick and full."""
    quick: bool = True
    plot: str = ""
    """The figure that is drawn, one bar for each row; none when empty."""
    is_by_request: bool = False
    """Only when it is named: such as a soak of twenty minutes."""


def all_measures() -> list[Measure]:
    """In the order of `NAMES`. Raises `ValueError` when two have the same name."""
    found: list[Measure] = []
    for name in NAMES:
        where = f"{__name__}.{name}"
        if importlib.util.find_spec(where) is None:
            continue
        found += importlib.import_module(where).MEASURES
    names = [one.name for one in found]
    targets = [target.name for one in found for target in one.targets]
    for seen in (names, targets):
        if len(set(seen)) != len(seen):
            raise ValueError(f"a name stands twice: {sorted(seen)}")
    return found
