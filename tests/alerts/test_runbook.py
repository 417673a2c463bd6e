"""Whoever is woken finds an entry, and each entry says the same four things."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache

import pytest

from proxy import cli
from tests.alerts.rules import ROOT, RUNBOOK, alerts

NAMES = [alert["alert"] for alert in alerts()]
HEADINGS = ["What it means", "What to look at", "What to do", "Whom to wake"]


@cache
def text() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


@cache
def entries() -> Mapping[str, str]:
    _, *parts = re.split(r"^### (\w+)$", text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def anchors() -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", text(), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}


def test_there_is_an_entry_for_each_alert_in_the_order_of_the_rules_and_no_other() -> None:
    assert list(entries()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_says_what_it_means_what_to_look_at_what_to_do_and_whom_to_wake(name: str) -> None:
    entry = entries()[name]
    parts = re.split(r"^#### (.+)$", entry, flags=re.MULTILINE)
    assert parts[1::2] == HEADINGS
    for heading, said in zip(parts[1::2], parts[2::2], strict=True):
        assert len(said.split("## ", 1)[0].split()) >= 3, heading


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_as_serious_as_its_alert(name: str) -> None:
    (alert,) = [one for one in alerts() if one["alert"] == name]
    assert entries()[name].lstrip().startswith(f"*{alert['labels']['severity']}*\n")


def test_what_every_alert_points_to_is_there() -> None:
    for alert in alerts():
        file, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert (ROOT / file) == RUNBOOK
        assert anchor in anchors()


def test_links_between_entries_lead_somewhere() -> None:
    targets = re.findall(r"\]\(#([^)]+)\)", text())
    assert len(targets) > 10
    assert set(targets) <= anchors()


def test_commands_of_the_sidecar_are_ones_that_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert "bss-sidecar" in script
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    known = capsys.readouterr().out
    commands = set(re.findall(r"bss-sidecar (status|breaker|check|doctor|[a-z]+)\b", text()))
    said = {one for one in commands if f"bss-sidecar {one}" in text() and one != "and"}
    assert {"status", "breaker", "check", "doctor"} <= said
    assert [one for one in said if one not in known] == []
