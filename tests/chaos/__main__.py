"""`make chaos`: cut, stall and corrupt everything there is, for minutes, and tell what happened.

Exit status 0 when the promise was kept, 1 when not, 75 when all answers were right but the machine
was too busy to judge their times, 130 after Ctrl-C, which leaves nothing behind.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from proxy.demo.screen import Cell, Screen
from tests.chaos import report
from tests.chaos.full import Course, Outcome, Plan
from tests.chaos.world import world
from tests.servers.postgres import NoPostgres, Postgres, running_postgres

CAN_NOT_SAY = 75
"""EX_TEMPFAIL of sysexits.h."""
TOO_BUSY = "This machine is too busy to judge times on it."
_CLEAR = "\r\x1b[K"
_NOW_AND_THEN_S = 10.0


def options() -> Plan:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    add = arguments.add_argument
    add("--minutes", type=float, default=10.0, help="of random faults")
    add("--each", type=float, default=4.0, help="seconds of load under every fault alone")
    add("--control", type=float, default=15.0, help="seconds of load without a fault")
    add("--seed", type=int, default=None, help="to try the same again")
    add("--out", type=Path, default=Path(".chaos"), help="folder of the report")
    told = arguments.parse_args()
    seed = random.randrange(10**6) if told.seed is None else told.seed
    return Plan(
        minutes=told.minutes, each_s=told.each, control_s=told.control, seed=seed, folder=told.out
    )


class Progress:
    """One line on a terminal; elsewhere a line now and then."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next_at = 0.0

    def __call__(self, text: str) -> None:
        if self._screen.out.isatty():
            self._screen.out.write(f"{_CLEAR}  {text[:118]}")
            self._screen.out.flush()
            return
        now = asyncio.get_running_loop().time()
        if now >= self._next_at:
            self._next_at = now + _NOW_AND_THEN_S
            self._screen.note(text)

    def end(self) -> None:
        if self._screen.out.isatty():
            self._screen.out.write(_CLEAR)


async def run(plan: Plan, postgres: Postgres | None, screen: Screen) -> Outcome:
    progress = Progress(screen)
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        try:
            async with world(Path(folder), postgres) as made:
                return await Course(made, plan, progress).run()
        finally:
            progress.end()


def show(outcome: Outcome, screen: Screen) -> None:
    rows = [
        [Cell(text, _style(at, text), right=at not in (0, 4)) for at, text in enumerate(cells)]
        for cells in (report.row(one, outcome.allowance_s) for one in report.findings(outcome))
    ]
    screen.table(report.HEAD, rows)
    screen.line()
    for line in report.lines(outcome):
        screen.line(line)
    screen.line()
    for one in outcome.broken:
        screen.line(f"broken: {one}", "red")
    for one in outcome.late:
        screen.line(f"not judged: {one}")
    if not outcome.is_calm:
        screen.line(TOO_BUSY)
    elif not outcome.broken:
        screen.line("The promise was kept.", "green")


def _style(at: int, text: str) -> str:
    return "red" if report.HEAD[at] in ("late", "wrong") and text != "0" else ""


def write(outcome: Outcome, screen: Screen) -> None:
    folder = outcome.plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(report.markdown(outcome), encoding="utf-8")
    (folder / "report.json").write_text(report.as_json(outcome), encoding="utf-8")
    try:
        from tests.chaos.plot import plot  # noqa: PLC0415  (it wants matplotlib)

        plot(outcome, folder / "timeline.png")
    except ImportError:
        screen.note("no plot: matplotlib is not installed")
    screen.note(f"written to {folder}: report.md, report.json, timeline.png")


def main() -> int:
    plan, screen = options(), Screen()
    screen.title(f"Chaos, seed {plan.seed}")
    with ExitStack() as stack:
        postgres = None
        with suppress(NoPostgres):
            postgres = stack.enter_context(running_postgres())
        runner = stack.enter_context(asyncio.Runner())
        try:
            outcome = runner.run(run(plan, postgres, screen))
        except KeyboardInterrupt:
            return 130
    show(outcome, screen)
    write(outcome, screen)
    if outcome.broken:
        return 1
    return 0 if outcome.is_calm else CAN_NOT_SAY


if __name__ == "__main__":
    sys.exit(main())
