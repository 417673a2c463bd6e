"""What the doctor found, on paper and as JSON."""

import io
import json
from pathlib import Path

import pytest

from adapters.lookup import wall_clock
from proxy import cli
from proxy.check import Paint
from proxy.doctor.findings import Advice, Fact, Report, Reports, State, Step
from proxy.doctor.printing import as_json, report_lines, verdict
from proxy.doctor.run import Visit, run_doctor

SICK = Report(
    "acme",
    "amdocs",
    [
        Step.judged("trust bundle", "/run/ca.pem", facts=(Fact("trusts", "CN=A"),)),
        Step.judged("token", bad=(Advice(cause="it is ill " * 15, cure="mend it"),)),
        Step.skipped("question", "the token comes first"),
    ],
)
WELL = Report("bell", "mock", [Step.judged("vendor", doubtful=(Advice(cause="hm", cure="look"),))])

MOCK = """
schema_version: 1
connections: {mock: {vendor: mock}, other: {vendor: mock}}
tenants: {mock_demo: {connection: mock}}
"""


def shown(report: Report, *, on: bool = False) -> str:
    return "\n".join(report_lines(report, Paint(on=on)))


def test_a_step_is_a_mark_its_name_and_what_it_showed_then_cause_and_cure() -> None:
    text = shown(SICK).splitlines()
    assert text[:4] == [
        "",
        "acme  amdocs",
        "  ✓ trust bundle  /run/ca.pem",
        "      trusts    CN=A",
    ]
    assert text[4] == "  ✗ token"
    assert text[5].startswith("      cause     it is ill it is ill")
    assert text[-1] == "  · question      not tried: the token comes first"
    assert max(map(len, text)) <= 100


def test_the_last_line_says_who_is_not_well() -> None:
    paint = Paint(on=False)
    assert verdict(Reports([SICK, WELL]), paint) == "1 of 2 connections not well: acme, 1 warning"
    assert verdict(Reports([WELL]), paint) == "1 connection well, 1 warning"


def test_the_cache_is_counted_beside_the_connections() -> None:
    paint = Paint(on=False)
    cache = Report("cache", "redis", [Step.judged("redis", bad=(Advice(cause="a", cure="b"),))])
    sick = Reports([WELL], cache)
    assert verdict(sick, paint) == "1 of 1 connection and the cache not well: cache, 1 warning"
    assert as_json(sick)["cache"]["store"] == "redis"
    assert (as_json(sick)["ok"], as_json(Reports([WELL]))["ok"]) == (False, True)
    assert "cache" not in as_json(Reports([WELL]))


def test_colours_are_asked_for() -> None:
    assert "\x1b" not in shown(SICK)
    assert "\x1b[31m✗" in shown(SICK, on=True)


def test_json_has_the_same_steps() -> None:
    answer = json.loads(json.dumps(as_json(Reports([SICK, WELL]))))
    assert answer["ok"] is False
    assert [one["ok"] for one in answer["connections"]] == [False, True]
    steps = answer["connections"][0]["steps"]
    assert [step["state"] for step in steps] == ["good", "bad", "skipped"]
    assert steps[1]["advice"][0]["cure"] == "mend it"


def test_a_report_counts_its_steps() -> None:
    assert SICK.count(State.BAD) == 1
    assert not SICK.is_good
    assert WELL.is_good


def ran(path: Path, *, connection: str | None = None, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    visit = Visit(path=path, connection=connection, json=as_json)
    return run_doctor(visit, clock=wall_clock, out=out), out.getvalue()


def test_one_connection_or_all_of_them_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(MOCK)
    status, text = ran(path)
    assert status == 0
    assert text.endswith("2 connections well\n")
    assert ran(path, connection="other")[1].endswith("1 connection well\n")
    status, text = ran(path, connection="another")
    assert status == 2
    assert "there are: mock, other" in text
    assert json.loads(ran(path, connection="another", as_json=True)[1])["ok"] is False
    assert json.loads(ran(path, as_json=True)[1])["ok"] is True


@pytest.mark.parametrize("as_json", [False, True])
def test_a_bad_configuration_is_64_and_told_as_check_tells_it(
    tmp_path: Path, *, as_json: bool
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("schema_version: 1\nunknown: 1\n")
    status, text = ran(path, as_json=as_json)
    assert status == 64
    assert "is not a setting here" in text
    if as_json:
        assert json.loads(text)["ok"] is False


def test_the_command_takes_its_file_from_the_environment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BSS_SIDECAR_CONFIG", raising=False)
    assert cli.main(["doctor"]) == 64
    assert "BSS_SIDECAR_CONFIG" in capsys.readouterr().err
    path = tmp_path / "a.yaml"
    path.write_text(MOCK)
    monkeypatch.setenv("BSS_SIDECAR_CONFIG", str(path))
    assert cli.main(["doctor", "--connection", "mock"]) == 0
    assert "made up in the sidecar" in capsys.readouterr().out
