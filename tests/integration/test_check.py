"""`bss-sidecar check FILE` and `bss-sidecar config schema`, as a person meets them."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.registry import reaches
from proxy.check import run_check, run_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "sidecar.example.yaml"

BAD = """\
schema_version: 1
connections:
  amdocs:
    vendor: amdoc
    base_url: http://amdocs.example.com/
    oauth2:
      token_ulr: https://amdocs.example.com/token
      client_id: 7
      client_secret: hunter2
  csg:
    vendor: csg
    base_url: https://csg.example.com/
    wire: {exchange_timeout: 3}
tenants:
  north: {connection: amdosc}
  south: {connection: csg, reporting_currency: pounds}
listeners:
  admin: {host: 0.0.0.0}
"""
GOOD = """\
schema_version: 1
connections:
  amdocs:
    vendor: amdocs
    base_url: https://amdocs.example.com/
    tls: {certificate_file: tls.crt, key_file: absent.key}
    oauth2:
      token_url: https://amdocs.example.com/token
      client_id: sidecar
      client_secret: ${AMDOCS_SECRET}
  mock: {vendor: mock}
tenants:
  north: {connection: amdocs, reporting_currency: EUR}
  south: {connection: mock}
default_tenant: north
listeners: {ops: {host: "::", port: 0}}
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMDOCS_SECRET", "hunter2")
    monkeypatch.delenv("NO_COLOR", raising=False)


def check(
    tmp_path: Path, text: str, *, as_json: bool = False, out: io.StringIO | None = None
) -> tuple[int, str]:
    file = tmp_path / "sidecar.yaml"
    file.write_text(text)
    (tmp_path / "tls.crt").touch()
    out = out or io.StringIO()
    code = run_check(file, json=as_json, out=out)
    return code, out.getvalue()


def test_ten_problems_are_printed_and_counted_and_the_exit_status_is_64(tmp_path: Path) -> None:
    code, text = check(tmp_path, BAD)
    assert code == 64
    assert len(re.findall(r"^    wrong    \S", text, re.MULTILINE)) == 10
    assert len(re.findall(r"^    instead  \S", text, re.MULTILINE)) == 10
    assert text.endswith("10 problems in sidecar.yaml\n")
    assert "hunter2" not in text


def test_a_problem_is_its_path_and_line_then_what_is_wrong_then_what_to_write(
    tmp_path: Path,
) -> None:
    _, text = check(tmp_path, "schema_version: 1\ndefault_tenent: north\n")
    assert text == (
        "\n"
        "  default_tenent  line 2\n"
        "    wrong    is not a setting here\n"
        "    instead  did you mean default_tenant?\n"
        "\n"
        "1 problem in sidecar.yaml\n"
    )


def test_long_words_go_on_below_their_beginning(tmp_path: Path) -> None:
    _, text = check(tmp_path, BAD)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert re.search(r"^ {13}\S", check(tmp_path, "x: 1\n")[1], re.MULTILINE)


def test_a_good_file_shows_who_is_served_from_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = check(tmp_path, GOOD)
    assert code == 0
    rows = [re.split(r" {2,}", line.strip()) for line in text.splitlines() if "  " in line.strip()]
    assert rows[:3] == [
        ["tenant", "currency", "connection", "vendor", "reached at", "proves itself by"],
        [
            *("north", "EUR", "amdocs", "amdocs", "amdocs.example.com"),
            "mutual TLS and OAuth2 client_secret_basic",
        ],
        ["south", "GBP", "mock", "mock", "-", "-"],
    ]
    assert "Requests without X-Tenant-ID are north's." in text
    assert "data   127.0.0.1:8650" in text
    assert "ops    [::]:(a free port)" in text
    assert "hunter2" not in text
    *_, verdict, advice = text.splitlines()
    assert verdict == "sidecar.yaml is good: 2 tenants, 2 connections, 3 warnings"
    assert advice.startswith("Files are tried by: bss-sidecar doctor ")


def test_a_file_that_is_absent_and_a_secret_that_does_not_rotate_are_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = check(tmp_path, GOOD)
    assert code == 0
    assert (
        "  connections.amdocs.tls.key_file  line 6\n"
        "    warning  names a file that cannot be read yet\n"
    ) in text
    assert (
        "  connections.amdocs.oauth2.client_secret  line 10\n"
        "    warning  comes from ${AMDOCS_SECRET} and does not rotate\n"
        "    better   client_secret_file, which does\n"
    ) in text
    assert "no identity map: Pedkai's own ids go to the vendor as they are" in text


def test_the_example_is_good_wherever_it_is_checked() -> None:
    out = io.StringIO()
    assert run_check(EXAMPLE, json=False, out=out) == 0
    assert "sidecar.example.yaml is good: 5 tenants, 5 connections" in out.getvalue()


def test_json_says_the_same(tmp_path: Path) -> None:
    code, text = check(tmp_path, BAD, as_json=True)
    answer = json.loads(text)
    assert (code, answer["ok"], len(answer["problems"])) == (64, False, 10)
    assert answer["problems"][0].keys() == {"path", "line", "what", "instead"}
    assert "hunter2" not in text
    code, text = check(tmp_path, GOOD, as_json=True)
    answer = json.loads(text)
    assert (code, answer["ok"], answer["problems"]) == (0, True, [])
    assert [row["tenant"] for row in answer["serves"]] == ["north", "south"]
    assert "hunter2" not in text


def test_colours_are_for_terminals_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = check(tmp_path, BAD)[1]
    coloured = check(tmp_path, BAD, out=Terminal())[1]
    assert "\x1b" not in plain
    assert "\x1b[31m10 problems in sidecar.yaml\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert check(tmp_path, BAD, out=Terminal())[1] == plain


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    out = io.StringIO()
    assert run_check(tmp_path / "none.yaml", json=False, out=out) == 64
    assert "the file\n    wrong    is not there" in out.getvalue()


def test_the_schema_is_json_and_lists_every_vendor() -> None:
    out = io.StringIO()
    assert run_schema(out) == 0
    vendor = json.loads(out.getvalue())["$defs"]["Connection"]["properties"]["vendor"]
    assert vendor["anyOf"][0]["enum"] == sorted(reaches())


def test_the_command_checks_and_serves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sidecar.yaml"
    file.write_text(BAD)
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "proxy", "check", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 64
    assert ended.stdout.endswith("10 problems in sidecar.yaml\n")
    assert ended.stderr == ""
