"""Settings that are given beside the file win over it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.document import Plain
from config.load import Loaded, load
from config.overrides import Overrides, parse_override
from config.problems import ConfigurationProblems, Place
from tests.unit.config.files import VENDORS

OPS = ("listeners", "ops", "port")
TOKEN = ("auth", "token_file")


def loaded(text: str, overrides: Overrides, env: Mapping[str, str] | None = None) -> Loaded:
    whole = f"schema_version: 1\n{text}"
    return load(
        Path("sidecar.yaml"),
        env=env or {},
        read=lambda _: whole,
        vendors=VENDORS,
        overrides=overrides,
    )


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("listeners.ops.port=8651", OPS, 8651),
        ("listeners.ops.host=fd00::2", ("listeners", "ops", "host"), "fd00::2"),
        ("listeners.ops.host=::1", ("listeners", "ops", "host"), "::1"),
        ("auth.any_user=true", ("auth", "any_user"), True),
        ("auth.token_file=", TOKEN, None),
        ("auth.token_file=/a=b", TOKEN, "/a=b"),
        ("logging.level=no", ("logging", "level"), "no"),
    ],
)
def test_a_value_is_read_as_the_file_would_be(text: str, place: Place, value: Plain) -> None:
    assert parse_override(text) == (place, value)


@pytest.mark.parametrize("text", ["", "logging.level", "=debug", ".level=x", "logging..level=x"])
def test_what_names_no_setting_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        parse_override(text)


@pytest.mark.parametrize(
    "text", ["", "listeners:\n", "listeners: {ops: }\n", "listeners: {ops: {port: 7000}}\n"]
)
def test_an_override_wins_over_whatever_the_file_says(text: str) -> None:
    assert loaded(text, {OPS: 9000}).settings.listeners.ops.port == 9000


def test_an_override_of_nothing_takes_the_files_setting_out() -> None:
    text = "auth: {token_file: /run/token, former_token_serves: 2m}\n"
    auth = loaded(text, {TOKEN: None}).settings.auth
    assert (auth.token_file, auth.former_token_serves) == (None, 120.0)


def test_an_override_may_come_from_the_environment() -> None:
    settings = loaded("", {("listeners", "ops", "host"): "${POD_IP}"}, {"POD_IP": "fd00::2"})
    assert settings.settings.listeners.ops.host == "fd00::2"


@pytest.mark.parametrize(
    ("place", "value"),
    [(OPS, 70_000), (("logging", "level"), "loud"), (("loging",), 1), (("auth", "token"), "abc")],
)
def test_an_override_is_judged_as_the_file_is(place: Place, value: Plain) -> None:
    with pytest.raises(ConfigurationProblems) as found:
        loaded("", {place: value})
    assert [problem.path for problem in found.value.problems] == [".".join(map(str, place))]


def test_a_group_that_is_none_stays_a_problem_of_the_files() -> None:
    with pytest.raises(ConfigurationProblems) as found:
        loaded("listeners: 5\n", {OPS: 9000})
    assert [problem.path for problem in found.value.problems] == ["listeners"]


@given(st.integers(0, 65_535), st.integers(0, 65_535))
def test_whatever_the_file_says_the_port_is_the_overriding_one(theirs: int, ours: int) -> None:
    text = f"listeners: {{ops: {{port: {theirs}}}, data: {{port: 0}}, admin: {{port: 0}}}}\n"
    assert loaded(text, {OPS: ours}).settings.listeners.ops.port == ours
