"""What people read of a run."""

import json
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench import plots, report
from tests.bench.figures import Findings, Outcome, Row, Sample, Target
from tests.bench.measures import Measure, all_measures
from tests.bench.progress import bar, left
from tests.bench.report import Measured, Run

FAST = Target(name="fast", what="how fast", limit=1.0)
CHEAP = Target(name="cheap", what="how cheap", limit=50, unit="×", at_least=True, digits=0)
ABSENT = Target(name="absent", what="how rare", limit=1)
CPU = Sample.of([100.0, 102.0, 104.0])
ROWS = [
    Row("sidecar", {"cpu_us": CPU, "p50_ms": Sample.of([1.0] * 3)}, ratios={"CPU": Sample.of(2)}),
    Row("bare", {"cpu_us": Sample.of([51.0] * 3)}),
    Row("nginx", note="no nginx on this machine"),
]


def measured(**more: float) -> Measured:
    samples = {name: Sample.of(figure) for name, figure in more.items()}
    return Measured(
        name="one", title="One", targets=(FAST, CHEAP, ABSENT), rounds=3, plot="cpu_us",
        findings=Findings(ROWS, samples, ["Nothing else ran."]),
    )  # fmt: skip


def run(one: Measured) -> Run:
    return Run(facts={"machine": "a small one"}, measures=[one], plots={"one": "images/one.svg"})


def test_what_was_written_by_hand_around_the_markers_stays() -> None:
    page = f"# By hand\n\n{report.BEGIN}\nold figures\n{report.END}\n\nBy hand, too.\n"
    new = report.rewritten(page, run(measured(fast=0.5)))
    assert new.startswith("# By hand\n")
    assert new.endswith("\n\nBy hand, too.\n")
    assert "old figures" not in new
    assert "0.50 × | ≤ 1.00 × | met" in new
    assert report.rewritten(new, run(measured(fast=0.5))) == new


def test_a_page_without_markers_is_not_touched() -> None:
    with pytest.raises(ValueError, match="the page has no"):
        report.rewritten("# By hand\n", run(measured()))


def test_a_row_shows_ratios_first_and_who_is_absent_says_why() -> None:
    table = report.table(ROWS).splitlines()
    assert table[0] == "|  | CPU | CPU, µs | p50, ms |"
    assert table[2] == "| sidecar | 2.00 × | 102.0 (101.0–103.0) | 1.00 (1.00–1.00) |"
    assert table[4] == "| nginx (no nginx on this machine) |  |  |  |"


def test_what_is_missed_is_told_with_by_how_much() -> None:
    lines = report.judged([measured(fast=1.5, cheap=25)], Outcome.MISSED)
    assert lines == [
        "missed: how fast: 1.50 ×, target ≤ 1.00 × (50% over)",
        "missed: how cheap: 25 ×, target ≥ 50 × (50% short)",
    ]
    assert report.judged([measured(fast=1, cheap=50)], Outcome.MISSED) == []
    assert len(report.judged([measured(fast=1, cheap=50)], Outcome.UNKNOWN)) == 1


def test_a_measure_that_came_to_no_end_says_why_and_its_targets_are_not_measured() -> None:
    broken = Measured(
        name="one", title="One", targets=(FAST,), findings=Findings([]), trouble="no Redis"
    )
    text = report.markdown(Run(facts={}, measures=[broken]))
    assert "Not measured: no Redis" in text
    assert "| how fast | – | ≤ 1.00 × | not measured |" in text


def test_every_round_is_kept_and_a_list_of_them_is_one_line(tmp_path: Path) -> None:
    command.keep(run(measured(fast=0.5)), tmp_path / "kept.json")
    text = (tmp_path / "kept.json").read_text(encoding="utf-8")
    assert '"rounds": [100.0, 102.0, 104.0]' in text
    told = json.loads(text)["measures"]["one"]
    assert told["rows"][0]["figures"]["cpu_us"]["median"] == 102.0
    assert [one["outcome"] for one in told["targets"]] == ["met", "not measured", "not measured"]


def test_a_run_that_was_kept_can_be_shown_again(tmp_path: Path) -> None:
    before = run(measured(fast=0.5, cheap=60))
    command.keep(before, tmp_path / "kept.json")
    told = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    again = report.loaded(told, {"one": (FAST, CHEAP, ABSENT)})
    shown = Run(facts=again.facts, measures=again.measures, plots=before.plots)
    assert report.markdown(shown) == report.markdown(before)


def test_the_same_figures_give_the_same_image(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (first,) = plots.plotted([measured()], tmp_path / "a").values()
    (second,) = plots.plotted([measured()], tmp_path / "b").values()
    assert first.read_bytes() == second.read_bytes()
    assert b"sidecar" in first.read_bytes()
    assert b"nginx" not in first.read_bytes()


def test_the_quick_run_keeps_to_five_minutes_and_the_full_one_to_thirty() -> None:
    """As far as the measures themselves say."""
    measures = all_measures()
    for full, most_s in ((False, 300), (True, 1_800)):
        chosen = command.chosen(measures, [], full=full)
        assert sum(one.about_s[full] for one in chosen) <= most_s


def test_one_measure_is_run_by_its_name_and_an_unknown_name_is_told() -> None:
    async def never(stage: object, rounds: int) -> Findings:
        raise AssertionError

    one, slow, asked = (
        Measure(name=name, title=name, run=never, quick=quick, is_by_request=by_request)
        for name, quick, by_request in
        (("one", True, False), ("slow", False, False), ("asked", True, True))
    )  # fmt: skip
    assert command.chosen([one, slow, asked], [], full=False) == [one]
    assert command.chosen([one, slow, asked], [], full=True) == [one, slow]
    assert command.chosen([one, slow, asked], ["asked"], full=False) == [asked]
    with pytest.raises(SystemExit, match="There is no two"):
        command.chosen([one], ["two"], full=False)


def test_a_bar_fills_and_what_is_left_is_learned() -> None:
    assert bar(0.5) == "[############............]  50%"
    assert left(0, 0, 100) == 100
    assert left(0.5, 100, 100) == 75
    assert left(1, 130, 100) == 0
