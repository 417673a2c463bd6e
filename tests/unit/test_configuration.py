"""How the sidecar looks at its configuration file."""

from pathlib import Path

from config.settings import Settings
from proxy.configuration import digest, read_configuration

BAD_TENANT = "schema_version: 1\ntenants: {acme: {connection: nobody}}\n"


def test_no_file_is_a_problem_like_any_other() -> None:
    reading = read_configuration(None, env={})
    assert reading.settings is None
    assert [problem.what for problem in reading.problems] == ["no file is named"]
    assert reading.doors == Settings(schema_version=1)


def test_listeners_are_taken_from_a_bad_file_with_what_the_environment_says(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.yaml"
    path.write_text(BAD_TENANT + "listeners: {ops: {host: '${POD_IP}', port: 7000}}\n")
    reading = read_configuration(path, env={"POD_IP": "10.1.2.3"})
    assert reading.settings is None
    assert (reading.doors.listeners.ops.host, reading.doors.listeners.ops.port) == (
        "10.1.2.3",
        7000,
    )


def test_listeners_that_break_a_rule_are_not_taken_from_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.yaml"
    path.write_text(BAD_TENANT + "listeners: {data: {host: 0.0.0.0}}\n")  # without TLS and token
    assert read_configuration(path, env={}).doors == Settings(schema_version=1)


def test_the_digest_of_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    assert digest(None) == ""
    assert digest(tmp_path / "absent") == ""
    (tmp_path / "a").write_text("a")
    assert digest(tmp_path / "a") == read_configuration(tmp_path / "a", env={}).digest != ""
