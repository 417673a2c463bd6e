"""From a file to settings, or to everything that is wrong with it, at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import can_read, environment, load, read_file
from config.problems import ConfigurationProblems, Problem, dotted
from config.settings import Settings
from tests.unit.config.files import (
    GONE,
    VENDORS,
    changed,
    good,
    load_document,
    load_text,
    paths_of,
    problems_of,
)

TEN_MISTAKES = """\
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


def test_ten_mistakes_are_told_together_each_with_its_path_and_line() -> None:
    found = [(problem.path, problem.line) for problem in problems_of(TEN_MISTAKES)]
    assert found == [
        ("connections.amdocs.vendor", 4),
        ("connections.amdocs.base_url", 5),
        ("connections.amdocs.oauth2.token_ulr", 7),
        ("connections.amdocs.oauth2.client_id", 8),
        ("connections.amdocs.oauth2.client_secret", 9),
        ("connections.csg", 10),
        ("connections.csg.wire.exchange_timeout", 13),
        ("tenants.north.connection", 15),
        ("tenants.south.reporting_currency", 16),
        ("listeners.admin.host", 18),
    ]
    assert all(problem.what and problem.instead for problem in problems_of(TEN_MISTAKES))


def test_the_problems_read_well_as_one_text() -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        load_text("schema_version: 1\ndefault_tenent: north\n")
    assert str(caught.value) == (
        "default_tenent: is not a setting here; instead: did you mean default_tenant?"
    )


@pytest.mark.parametrize(
    ("path", "value", "hint"),
    [
        ("default_tennant", "north", "default_tenant"),
        ("connections.amdocs.exchange_timeout", "1s", "wire.exchange_timeout"),
        ("connections.amdocs.Base_URL", "https://a.example.com/", "base_url"),
        ("connections.amdocs.tmf.verzion", "v4", "version"),
        ("listeners.dta", {}, "data"),
        ("connections.mock.zzz", 1, "nothing, or one of vendor, base_url"),
    ],
)
def test_an_unknown_key_gets_a_near_miss(path: str, value: object, hint: str) -> None:
    (problem,) = problems_of(changed({path: value}))
    assert problem.path == path
    assert hint in problem.instead


def test_a_slip_in_a_required_key_is_one_problem_and_not_two() -> None:
    document = changed({"connections.amdocs.vendro": "amdocs", "connections.amdocs.vendor": GONE})
    assert paths_of(document) == ["connections.amdocs.vendro"]


def test_lenient_only_warns_of_unknown_keys_and_goes_on_without_them() -> None:
    document = changed({"connections.amdocs.colour": "blue", "extra": {"deep": [1]}})
    loaded = load_document(document, lenient=True)
    assert {warning.path for warning in loaded.warnings} == {"connections.amdocs.colour", "extra"}
    assert loaded.settings == load_document(good()).settings


WORDS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1)
UNKNOWN = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.sampled_from(["${NOT_SET}", "a\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
GROUPS = ["", "connections.amdocs.", "connections.amdocs.tls.", "tenants.north.", "auth.", "cache."]


@given(group=st.sampled_from(GROUPS), value=UNKNOWN)
def test_whatever_a_newer_sidecar_knows_an_older_one_leaves_out_and_serves_the_same(
    group: str, value: object
) -> None:
    document = changed({f"{group}novelty": value})
    loaded = load_document(document, lenient=True)
    assert [warning.path for warning in loaded.warnings] == [f"{group}novelty"]
    assert loaded.settings == load_document(good()).settings


def test_what_is_unknown_may_be_about_secrets_but_not_hold_them() -> None:
    assert problems_of(changed({"auth.renew_token": True}), lenient=True) == []
    (problem,) = problems_of(changed({"auth.renew_token": "hunter2"}), lenient=True)
    assert problem.path == "auth.renew_token"


def test_lenient_refuses_everything_else() -> None:
    document = changed({"extra": 1, "logging.level": "loud"})
    with pytest.raises(ConfigurationProblems) as caught:
        load_document(document, lenient=True)
    assert [problem.path for problem in caught.value.problems] == ["logging.level"]
    assert [warning.path for warning in caught.value.warnings] == ["extra"]


def test_a_slip_in_a_key_that_is_needed_is_a_problem_even_if_lenient() -> None:
    document = changed({"connections.local.databse": {}, "connections.local.database": GONE})
    assert [p.path for p in problems_of(document, lenient=True)] == ["connections.local.database"]


def test_a_group_with_nothing_behind_its_colon_is_at_its_defaults() -> None:
    text = "schema_version: 1\nlisteners:\nauth:\ndeadlines:\n  single:\n"
    assert load_text(text).settings == Settings(schema_version=1)


def test_a_connection_with_nothing_behind_its_colon_is_a_problem() -> None:
    assert paths_of("schema_version: 1\nconnections:\n  amdocs:\n") == ["connections.amdocs"]


def test_the_digest_tells_whether_the_content_changed() -> None:
    one, same, other = (
        load_text(text).digest
        for text in ("schema_version: 1\n", b"schema_version: 1\n", "schema_version:  1\n")
    )
    assert one == same != other


@pytest.mark.parametrize("text", ["schema_version: 2\n", "a: [\n", "\ud800"])
def test_a_bad_file_has_a_digest_as_well_so_that_its_mending_is_seen(text: str) -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        load_text(text)
    assert len(caught.value.digest) == 64


def test_a_file_that_is_named_and_absent_is_a_warning_except_what_the_sidecar_makes() -> None:
    asked: list[Path] = []

    def exists(path: Path) -> bool:
        asked.append(path)
        return path.name != "tls.key"

    audit = {"audit.sink": "file", "audit.file": "/var/log/audit.jsonl"}
    text = json.dumps(changed({"auth.token_file": "/run/token", **audit}))
    loaded = load(Path("f"), env={}, read=lambda _: text, vendors=VENDORS, exists=exists)
    assert [warning.path for warning in loaded.warnings] == ["connections.amdocs.tls.key_file"]
    assert Path("/run/token") not in asked
    assert {path.name for path in asked} == {"tls.crt", "tls.key", "secret", "dsn"}


def test_the_shell_reads_real_files_and_the_real_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_TEST_LEVEL", "debug")
    file = tmp_path / "sidecar.yaml"
    file.write_text("schema_version: 1\nlogging: {level: '${SIDECAR_TEST_LEVEL}'}\n")
    loaded = load(file, env=environment(), read=read_file, vendors=VENDORS)
    assert loaded.settings.logging.level == "debug"
    assert can_read(file)
    assert not can_read(tmp_path / "other")
    assert not can_read(tmp_path / ("x" * 5000))


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "sidecar.yaml"
    file.write_bytes(b"#" * (4 * 1024 * 1024))
    assert len(read_file(file)) < 2 * 1024 * 1024
    with pytest.raises(ConfigurationProblems, match="larger than 1 MiB"):
        load(file, env={}, read=read_file, vendors=VENDORS)


def test_a_path_is_written_as_it_stands_in_the_file() -> None:
    assert dotted(()) == ""
    assert dotted(("a", "b_c", 2, "d")) == "a.b_c[2].d"
    assert dotted(("a", "x y")) == 'a."x y"'
    assert dotted(("a", "x=y")) == "a.(a key that is no name)"
    assert str(Problem("", "is empty", "something")) == "the file: is empty; instead: something"


WORDS = st.text(max_size=12) | st.sampled_from(
    ["amdocs", "local", "https://a.example.com/", "${X}", "${Y}", "1s", "64KiB", "GBP", "north"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(sorted(Settings.model_fields)), inner, max_size=3
        )
    ),
    max_leaves=10,
)
PLACES = sorted(
    [
        *good(),
        *(f"connections.amdocs.{key}" for key in good()["connections"]["amdocs"]),
        *("connections.amdocs", "tenants.north", "tenants.north.connection", "listeners.data"),
        *("connections.amdocs.oauth2.token_url", "connections.amdocs.headers.x", "unheard.of"),
        *("listeners.data.host", "listeners.admin.port", "connections.csg.identity.dsn"),
    ]
)


@given(st.dictionaries(st.sampled_from(PLACES), VALUES, max_size=4), st.data())
def test_any_document_gives_settings_or_problems(spoiled: dict[str, Any], data: Any) -> None:
    """Applied from the root down, so that a spoiled group may get a good setting again."""
    document = good()
    for path in sorted(spoiled):
        try:
            changed({path: spoiled[path]}, document)
        except (TypeError, AttributeError):
            continue  # a group on the way is no group any more
    text = json.dumps(document, ensure_ascii=data.draw(st.booleans()))
    env = {"X": data.draw(st.text(max_size=8))}
    assert _outcome(text, env, lenient=data.draw(st.booleans()))


@given(VALUES)
def test_any_value_at_the_root_gives_settings_or_problems(value: Any) -> None:
    assert _outcome(json.dumps(value), {}, lenient=True)


def _outcome(text: str, env: dict[str, str], *, lenient: bool) -> Settings | list[Problem]:
    try:
        return load_text(text, env, lenient=lenient).settings
    except ConfigurationProblems as found:
        return found.problems
