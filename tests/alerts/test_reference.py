"""The page of all metrics is what a sidecar shows."""

import re
from pathlib import Path

from tests.alerts.reference import FILE, reference
from tests.alerts.rules import ALERTS, DASHBOARD, RUNBOOK

_NAME = re.compile(r"\b(?:bss_sidecar|process)_[a-z_]+[a-z]")
_OF_A_HISTOGRAM = re.compile(r"_(?:bucket|sum|count)$")
README = Path(__file__).parents[2] / "README.md"


def known() -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)`", reference(), re.MULTILINE))


def test_the_page_of_metrics_is_current() -> None:
    """Made by `python -P -m tests.alerts.reference`."""
    assert FILE.read_text(encoding="utf-8") == reference()


def test_the_page_names_all_kinds_of_metrics_and_their_labels() -> None:
    page = reference()
    assert len(known()) > 40
    assert (
        "| `bss_sidecar_questions_total` | counter | `question`, `outcome`, `connection` |" in page
    )
    assert "| `bss_sidecar_clock_skew_seconds` | gauge | `connection`, `whose` |" in page
    assert "| `bss_sidecar_dropped_log_lines_total` | counter | – |" in page


def test_rules_dashboard_runbook_and_readme_name_only_metrics_that_there_are() -> None:
    strangers = {
        (file.name, name)
        for file in (ALERTS, DASHBOARD, RUNBOOK, README)
        for name in _NAME.findall(file.read_text(encoding="utf-8"))
        if name not in known() and _OF_A_HISTOGRAM.sub("", name) not in known()
    }
    recorded = {(ALERTS.name, "bss_sidecar")}  # `bss_sidecar:…` are the rules' own
    assert strangers - recorded == set()


def test_names_end_in_their_unit_and_labels_are_of_a_closed_list() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.+?) \|", reference(), re.MULTILINE)
    units = ("_seconds", "_bytes", "_total", "_info")
    for name, kind, labels in rows:
        assert (kind == "counter") is name.endswith("_total"), name
        if kind == "histogram":
            assert name.endswith(units), name
        assert not {"customer_id", "correlation_id", "account"} & set(re.findall(r"\w+", labels))
        assert ("tenant" in labels) is ("_tenant_" in name), name


def test_no_label_is_one_that_a_scrape_gives_each_target() -> None:
    """Ours would be shown as `exported_…`, and alerts would tell the scrape's in its place."""
    given = {"job", "instance", "namespace", "pod", "container", "endpoint", "service", "node"}
    rows = re.findall(r"^\| `([a-z_]+)` \| \w+ \| (.+?) \|", reference(), re.MULTILINE)
    taken = [(name, labels) for name, labels in rows if given & set(re.findall(r"\w+", labels))]
    assert taken == []
