"""The alert rules: whole, understood by Prometheus, and tried one by one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.alerts.rules import ALERTS, alerts, groups, hurried

HERE = Path(__file__).parent
CASES = ("rules_test.yaml", "rules_of_days_test.yaml")
NAMES = [alert["alert"] for alert in alerts()]
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def told(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)


@promtool
def test_prometheus_takes_the_rules() -> None:
    judged = told("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))
    assert judged.returncode == 0, judged.stdout + judged.stderr


@promtool
@pytest.mark.parametrize("cases", CASES)
def test_every_alert_fires_and_stays_quiet_when_it_should(cases: str) -> None:
    judged = told("test", "rules", str(HERE / cases))
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    cases = [case for file in CASES for case in yaml.safe_load((HERE / file).read_text())["tests"]]
    mine = [case for case in cases if case["name"].startswith(f"{name} ")]
    for case in mine:
        (test,) = case["promql_expr_test"]
        fires = case["name"].startswith(f"{name} fires: ")
        assert fires or case["name"].startswith(f"{name} does not fire: ")
        assert f'alertname="{name}"' in test["expr"]
        assert bool(test["exp_samples"]) is fires, case["name"]
    assert {bool(case["promql_expr_test"][0]["exp_samples"]) for case in mine} == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_says_how_bad_it_is_and_what_is_wrong_in_a_sentence(name: str) -> None:
    (alert,) = [one for one in alerts() if one["alert"] == name]
    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    said = alert["annotations"]
    assert set(said) == {"summary", "description", "runbook"}
    for text in (said["summary"], said["description"]):
        assert text.endswith("."), text
        assert "\n" not in text
    assert len(said["summary"]) < 140
    assert said["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_the_file_is_plain_for_prometheus_and_for_the_chart() -> None:
    assert list(yaml.safe_load(ALERTS.read_text(encoding="utf-8"))) == ["groups"]
    assert len(NAMES) == len(set(NAMES)) >= 20
    assert not re.search(r"\{\{-|\.Values|\.Release", ALERTS.read_text(encoding="utf-8"))


def test_the_rules_of_the_real_run_differ_in_their_patience_only() -> None:
    def timeless(text: str) -> str:
        return re.sub(r"\[\d+[smhd]\]", "[…]", text)

    for mine, quick in zip(groups(), hurried(60)["groups"], strict=True):
        for rule, hasty in zip(mine["rules"], quick["rules"], strict=True):
            assert timeless(rule.pop("expr")) == timeless(hasty.pop("expr"))
            assert (rule.pop("for", None) is None) is (hasty.pop("for", None) is None)
            assert rule == hasty
