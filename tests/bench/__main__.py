"""`make bench`: the sidecar beside what else could stand in its place, in one run.

    python -m tests.bench [--full] [--check] [--only NAME,NAME] [--write]
                          [--json FILE] [--from FILE]

`--write` puts what was found into `docs/benchmarks.md`, between its markers, with the plots and
`docs/benchmarks.json`; without it the tables are printed. `--check` ends with status 1 when a
target is missed by more than the noise of the run.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import machine, report
from tests.bench.figures import Findings, Outcome
from tests.bench.measures import Measure, all_measures
from tests.bench.plots import plotted
from tests.bench.processes import Cores
from tests.bench.progress import Progress
from tests.bench.report import Measured, Run
from tests.bench.stage import staged

DOCS = Path(__file__).parents[2] / "docs"
PAGE, IMAGES = DOCS / "benchmarks.md", "images"
_LISTS = re.compile(r"\[[-\d.,e+\s]+\]")
"""Of numbers: one line each is enough."""


def chosen(measures: Sequence[Measure], only: Sequence[str], *, full: bool) -> list[Measure]:
    """Raises `SystemExit` for a name that is none."""
    if unknown := set(only) - {one.name for one in measures}:
        names = ", ".join(one.name for one in measures)
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}. There are: {names}")
    if only:
        return [one for one in measures if one.name in only]
    return [one for one in measures if not one.is_by_request and (full or one.quick)]


async def run(measures: Sequence[Measure], *, full: bool) -> Run:
    about = {one.name: one.about_s[full] for one in measures}
    progress = Progress(sum(about.values()))
    cores = Cores.found()
    facts = await machine.facts()
    now = datetime.now(tz=UTC)  # noqa: TID251  (an edge)
    facts["when"] = f"{now:%Y-%m-%d}, {'full' if full else 'quick'}"
    facts["cores"] = "one serves, one asks" if cores.are_separate else "one core serves and asks"
    done = []
    for one in measures:
        progress.begin(one.name, about[one.name])
        done.append(await measured(one, full=full, progress=progress))
        for line in summary(done[-1]):
            progress.say(f"  {line}")
        progress.end()
    return Run(facts=facts, measures=done)


async def measured(measure: Measure, *, full: bool, progress: Progress) -> Measured:
    """One that does not come to its end is tried once more, and then says why."""
    rounds = measure.rounds[full]
    findings, trouble = await attempted(measure, full=full, progress=progress)
    if trouble and not measure.is_by_request:
        progress.say(f"  once more: {trouble}")
        findings, trouble = await attempted(measure, full=full, progress=progress)
    return Measured(
        name=measure.name,
        title=measure.title,
        targets=measure.targets,
        findings=findings,
        trouble=trouble,
        plot=measure.plot,
        rounds=rounds,
    )


async def attempted(measure: Measure, *, full: bool, progress: Progress) -> tuple[Findings, str]:
    """What was found, or why nothing was."""
    with tempfile.TemporaryDirectory(prefix="bss-bench-") as folder:
        try:
            async with staged(Path(folder), full=full, progress=progress) as stage:
                return await measure.run(stage, measure.rounds[full]), ""
        except Exception as failure:  # noqa: BLE001  (it is told, and counts as not measured)
            return Findings([]), f"{type(failure).__name__}: {str(failure)[:300]}"


def summary(one: Measured) -> list[str]:
    """Each target with what became of it, as soon as it is known."""
    lines = report.judged([one], *Outcome)
    return [f"not measured: {one.trouble}", *lines] if one.trouble else lines


def written(result: Run) -> None:
    """Page, plots, JSON."""
    files = plotted(result.measures, DOCS / IMAGES)
    links = {name: f"{IMAGES}/{file.name}" for name, file in files.items()}
    complete = Run(facts=result.facts, measures=result.measures, plots=links)
    page = report.rewritten(PAGE.read_text(encoding="utf-8"), complete)
    PAGE.write_text(page, encoding="utf-8")
    keep(complete, PAGE.with_suffix(".json"))


def keep(result: Run, file: Path) -> None:
    """Every round of every figure."""
    text = json.dumps(report.document(result), indent=1, ensure_ascii=False)
    file.write_text(_LISTS.sub(_in_one_line, text) + "\n", encoding="utf-8")


def _in_one_line(found: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to half an hour")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="some of the measures")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round, into this file")
    parser.add_argument("--from", type=Path, metavar="FILE", help="no run: what --json has kept")
    asked = parser.parse_args(arguments)
    only = [one for one in asked.only.split(",") if one]
    measures = all_measures()
    if kept := vars(asked)["from"]:
        told = json.loads(kept.read_text(encoding="utf-8"))
        result = report.loaded(told, {one.name: one.targets for one in measures})
    else:
        result = asyncio.run(run(chosen(measures, only, full=asked.full), full=asked.full))
    if asked.write:
        written(result)
    else:
        sys.stdout.write(report.markdown(result))
    if asked.json:
        keep(result, asked.json)
    missed = report.judged(result.measures, Outcome.MISSED)
    if asked.check:
        missed += report.judged(result.measures, Outcome.UNKNOWN)
        sys.stdout.write("\n".join([f"{len(missed)} targets are not kept.", *missed]) + "\n")
    return 1 if asked.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
