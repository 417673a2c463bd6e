"""Whether memory stays where it is: a steady load for many minutes, and the RSS all along.

    make soak [MINUTES=20]

runs it alone, and draws `docs/images/soak.svg`. Customers come and go, entries end, the vendor has
its tail: whatever is kept for a question has to be given back.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench.asking_steadily import Heard, Pace
from tests.bench.figures import Findings, Row, Sample, Target
from tests.bench.lab import Sidecar, laboratory
from tests.bench.measures import Measure
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.progress import Progress
from tests.bench.stage import Stage, staged
from tests.bench.talking import Talker, talking

MINUTES = 20.0
DOOR = "20ms:0.01:2s"
PER_S = 25.0
PART_S = 6.0
"""After so long it is looked at again."""
MOST_MIB = 1.0
"""Grown so little is not grown: pages come and go."""
PLOT = Path(__file__).parents[3] / "docs" / "images" / "soak.svg"

TARGET = Target(
    name="soak_growth",
    what="memory under a steady load: the last quarter of the soak against the second",
    limit=MOST_MIB,
    unit="MiB",
)


@dataclass(slots=True)
class Course:
    """What was seen, every few seconds."""

    minutes: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    asked: int = 0
    invalid: list[str] = field(default_factory=list)

    @property
    def growth_mib(self) -> float:
        """From the median of the second quarter to that of the last; the first one warms up."""
        quarter = max(1, len(self.rss_mib) // 4)
        second, last = self.rss_mib[quarter : 2 * quarter], self.rss_mib[-quarter:]
        return statistics.median(last) - statistics.median(second or last)

    @property
    def mib_an_hour(self) -> float:
        """The slope of the line through all but the first quarter."""
        quarter = len(self.rss_mib) // 4
        minutes, rss = self.minutes[quarter:], self.rss_mib[quarter:]
        if len(minutes) < 2:
            return 0.0
        return statistics.linear_regression(minutes, rss).slope * 60


async def soak(stage: Stage, minutes: float) -> Course:
    lab = await laboratory(stage, DOOR)
    setting = Setting(vendor_port=lab.doors[DOOR], redis_url=lab.redis_url, ttl="10s")
    course = Course()
    async with (
        lab.sidecar("soak", setting, strict=False) as sidecar,
        talking("tests.bench.asking_steadily", stage.cores.load) as talker,
    ):
        clock = asyncio.get_running_loop().time
        began = clock()
        while (so_far := (clock() - began) / 60) < minutes:
            stage.progress.step(f"minute {so_far:.0f} of {minutes:.0f}")
            stage.progress.advance(so_far / minutes)
            heard = await _part(sidecar, talker, number=len(course.minutes))
            course.minutes.append((clock() - began) / 60)
            course.rss_mib.append(sidecar.program.rss_mib())
            course.asked += heard.asked
            course.invalid += heard.invalid
    return course


async def _part(sidecar: Sidecar, talker: Talker, *, number: int) -> Heard:
    pace = Pace(
        url=sidecar.urls["data"],
        tenant=TENANT,
        per_s=PER_S,
        for_s=PART_S,
        customers=CUSTOMERS,
        first=number * 1_009,
        batch_share=0.1,
    )
    return Heard(**json.loads(await talker.ask(json.dumps(asdict(pace)))))


def findings(course: Course) -> Findings:
    rows = [
        Row("at first", {"rss_mib": Sample.of(course.rss_mib[0])}),
        Row("in the end", {"rss_mib": Sample.of(course.rss_mib[-1])}),
        Row("at most", {"rss_mib": Sample.of(max(course.rss_mib))}),
    ]
    invalid = f"{len(course.invalid)} invalid answers {' '.join(sorted(set(course.invalid)))}"
    notes = [
        f"{course.minutes[-1]:.0f} minutes, {course.asked:,} questions, {invalid.strip()}.",
        f"The line through it climbs {course.mib_an_hour:+.2f} MiB an hour.",
    ]
    return Findings(rows, {TARGET.name: Sample.of(course.growth_mib)}, notes)


def draw(course: Course, file: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415  (`make bench` does without it)

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  (after the backend is chosen)

    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.plot(course.minutes, course.rss_mib, linewidth=1)
    axes.set(xlabel="minutes", ylabel="RSS, MiB", ylim=(0, max(course.rss_mib) * 1.15))
    axes.set_title(f"{course.asked:,} questions at a steady pace", fontsize=10)
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


async def _measured(stage: Stage, rounds: int) -> Findings:
    course = await soak(stage, MINUTES)
    return findings(course)


async def _alone(minutes: float) -> int:
    """The exit status: 1 when memory grew, or an answer was invalid."""
    progress = Progress(minutes * 60)
    progress.begin("soak", minutes * 60)
    with tempfile.TemporaryDirectory(prefix="bss-soak-") as folder:
        async with staged(Path(folder), full=True, progress=progress) as stage:
            course = await soak(stage, minutes)
    found = findings(course)
    await asyncio.to_thread(draw, course, PLOT)
    verdict = TARGET.judge(found.measured[TARGET.name])
    rss = course.rss_mib
    for line in (
        *found.notes,
        f"RSS at first {rss[0]:.1f} MiB, in the end {rss[-1]:.1f}, at most {max(rss):.1f}.",
        f"Grown by {course.growth_mib:+.2f} MiB; {MOST_MIB:g} is flat: {verdict.outcome}.",
        "Drawn in docs/images/soak.svg.",
    ):
        progress.say(line)
    return int(verdict.excess > 0 or bool(course.invalid))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    return asyncio.run(_alone(parser.parse_args(arguments).minutes))


MEASURES = (
    Measure(
        name="soak",
        title="Memory under a steady load",
        targets=(TARGET,),
        run=_measured,
        rounds=(1, 1),
        about_s=(MINUTES * 60, MINUTES * 60),
        quick=False,
        is_by_request=True,
    ),
)

if __name__ == "__main__":
    sys.exit(main())
