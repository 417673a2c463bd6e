"""How the sidecar looks at its configuration file."""

from pathlib import Path

import pytest

from config.settings import Settings
from proxy.configuration import digest, read_configuration

GOOD = "schema_version: 1\nconnections: {m: {vendor: mock}}\ntenants: {acme: {connection: m}}\n"
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


OPS_HOST, LEVEL = ("listeners", "ops", "host"), ("logging", "level")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        BAD_TENANT,
        BAD_TENANT + "listeners: {ops: {host: 127.0.0.1}}\n",
        "schema_version: 1\nlisteners: {ops: {host: 127.0.0.1}}\n",
        "schema_version: 1\nlisteners: 5\n",
        "schema_version: 1\nlisteners: {data: {host: 0.0.0.0}}\n",
    ],
)
def test_where_to_listen_is_what_the_overrides_say_whatever_the_file_is(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "sidecar.yaml"
    if content is not None:
        path.write_text(content)
    overrides = {OPS_HOST: "fd00::2", ("auth", "token_file"): "/run/token"}
    reading = read_configuration(path, env={}, lenient=True, overrides=overrides)
    assert reading.doors.listeners.ops.host == "fd00::2"
    assert reading.doors.auth.token_file == "/run/token"


def test_an_override_that_is_refused_is_a_warning_where_an_unknown_key_is_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sidecar.yaml"
    path.write_text(GOOD)
    overrides = {OPS_HOST: "fd00::2", LEVEL: "loud"}
    strict = read_configuration(path, env={}, overrides=overrides)
    assert ([one.path for one in strict.problems], strict.settings) == (["logging.level"], None)
    lenient = read_configuration(path, env={}, lenient=True, overrides=overrides)
    assert ([one.path for one in lenient.warnings], lenient.problems) == (["logging.level"], ())
    assert lenient.settings is not None
    assert lenient.settings.listeners.ops.host == "fd00::2"
    assert lenient.settings.logging.level == "info"


def test_a_refused_override_costs_the_others_nothing_where_there_is_no_file() -> None:
    overrides = {OPS_HOST: "fd00::2", LEVEL: "loud"}
    doors = read_configuration(None, env={}, lenient=True, overrides=overrides).doors
    assert (doors.listeners.ops.host, doors.logging.level) == ("fd00::2", "info")
