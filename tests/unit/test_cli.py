"""The command line."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from proxy import cli
from proxy.cache.keys import parse_ring
from proxy.serving import Serving

GOOD = """
schema_version: 1
connections: {mock: {vendor: mock}}
tenants: {mock_demo: {connection: mock}}
"""


BAD_SETS = [["serve", "--set", text] for text in ("logging.level", "=debug", "logging..level=x")]


def test_help_shows_examples_and_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for words in ("serve --fail-open", "exit status", "64 ", "69 ", "BSS_SIDECAR_CONFIG"):
        assert words in text


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("bss-sidecar 0.")


@pytest.mark.parametrize("arguments", [[], ["brew"], ["config"], ["serve", "a", "b"], *BAD_SETS])
def test_a_wrong_command_line_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def test_check_judges_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text("schema_version: 1\nunknown: 2\n")
    assert cli.main(["check", str(good)]) == 0
    assert cli.main(["check", "--json", str(bad)]) == 64
    assert '"ok": false' in capsys.readouterr().out


def test_check_takes_the_file_of_the_environment_and_without_any_is_64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BSS_SIDECAR_CONFIG", raising=False)
    assert cli.main(["check"]) == 64
    assert "BSS_SIDECAR_CONFIG" in capsys.readouterr().err
    good = tmp_path / "good.yaml"
    good.write_text(GOOD)
    monkeypatch.setenv("BSS_SIDECAR_CONFIG", str(good))
    assert cli.main(["check"]) == 0
    assert "good.yaml is good" in capsys.readouterr().out


def test_a_good_check_says_what_tries_the_files_except_to_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.yaml"
    good.write_text(GOOD)
    cli.main(["check", str(good)])
    assert capsys.readouterr().out.endswith(f"\nFiles are tried by: bss-sidecar doctor {good}\n")
    cli.main(["check", "--json", str(good)])
    assert "doctor" not in capsys.readouterr().out


def test_a_new_key_is_one_that_a_ring_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new-key"]) == 0
    assert cli.main(["new-key"]) == 0
    first, second = parse_ring(capsys.readouterr().out.encode()).keys
    assert first != second


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "schema"]) == 0
    assert '"connections"' in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in ("serve", "doctor", "breaker", "certs", "completion", "--fail-open"):
        assert command in script


def test_what_bash_is_given_is_a_script_that_bash_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["completion", "bash"])
    script = capsys.readouterr().out
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_certificates_are_written_and_said_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "certs"
    assert cli.main(["certs", "make", str(folder)]) == 0
    assert str(folder) in capsys.readouterr().out
    assert {"ca.pem", "server.pem", "server.key"} <= {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "client.key"])
def test_certificates_are_not_written_over_unless_by_force(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / name
    old.write_text("in use")
    assert cli.main(["certs", "make", str(tmp_path)]) == 1
    assert f"{old} exists; name another folder, or remove it" in capsys.readouterr().err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["in use"]
    assert cli.main(["certs", "make", "--force", str(tmp_path)]) == 0
    assert old.read_text() != "in use"


def test_the_example_script_writes_over_nothing_either(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "certs-example" / "make_certs.py"
    (tmp_path / "server.key").write_text("in use")
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "server.key exists; name another folder" in ended.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["server.key"]


def serving(path: Path | None, err: io.StringIO) -> Serving:
    return Serving(path=path, fail_open=False, env={}, out=io.StringIO(), err=err)


def test_a_bad_configuration_is_told_whole_and_ends_with_64(tmp_path: Path) -> None:
    path, err = tmp_path / "bad.yaml", io.StringIO()
    path.write_text(
        "schema_version: 1\nconnections: {a: {vendor: nobody}}\ntenants: {acme: {connection: b}}\n"
        "deadlines: {single: soon}\n"
    )
    assert serving(path, err).run() == 64
    for words in ("connections.a.vendor", "tenants.acme.connection", "deadlines.single"):
        assert words in err.getvalue()


@pytest.mark.parametrize("path", [None, Path("/nowhere/sidecar.yaml")])
def test_no_configuration_ends_with_64_and_says_what_to_write(path: Path | None) -> None:
    err = io.StringIO()
    assert serving(path, err).run() == 64
    assert "configuration file" in err.getvalue()
