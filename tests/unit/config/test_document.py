"""The small and strict YAML."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config import document
from config.document import DEPTH_LIMIT, SIZE_LIMIT, parse_document
from config.load import load
from config.problems import ConfigurationProblems, Problem
from tests.unit.config.files import VENDORS, load_text, problems_of


def only_problem(text: str | bytes) -> Problem:
    (problem,) = problems_of(text)
    return problem


HOPELESS: list[tuple[str, str | bytes, str]] = [
    ("empty", "", "is empty"),
    ("only a comment", "# nothing\n", "is empty"),
    ("null", "null\n", "is empty"),
    ("a list", "- a\n- b\n", "is not a mapping"),
    ("a word", "hello\n", "is not a mapping"),
    ("two documents", "a: 1\n---\nb: 2\n", "several documents"),
    ("UTF-16", "schema_version: 1".encode("utf-16"), "is not UTF-8"),
    ("Latin-1", "name: caf\xe9".encode("latin-1"), "is not UTF-8"),
    ("a surrogate", "name: \ud800", "is not UTF-8"),
    ("too large", "#" + "x" * SIZE_LIMIT, "is larger than 1 MiB"),
    ("too deep", "a: " + "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, f"more than {DEPTH_LIMIT} groups"),
    ("a bomb of brackets", "a: " + "[" * 100_000, f"more than {DEPTH_LIMIT} groups"),
    ("a NUL", "a: \x00", "characters that YAML does not allow"),
    ("a key of several parts", "? [a, b]\n: c\n", "a key is not a plain text"),
]


@pytest.mark.parametrize(
    ("text", "what"), [row[1:] for row in HOPELESS], ids=[r[0] for r in HOPELESS]
)
def test_a_file_that_cannot_be_read_as_a_whole_is_one_problem(text: str | bytes, what: str) -> None:
    problem = only_problem(text)
    assert what in problem.what
    assert problem.path == ""
    assert problem.instead


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: c: d\n", 2, 5),
        ("a: 1\n\tb: 2\n", 2, 1),
        ("a: [1, 2\n", 2, 1),
        ('a: 1\nb: "open\n', 3, 1),
        ("a: 1\nb: @x\n", 2, 4),
        ("a:\n  b: 1\n c: 2\n", 3, 2),
        ("a: !u!x y\n", 1, 4),
    ],
)
def test_a_syntax_error_has_its_line_and_column(text: str, line: int, column: int) -> None:
    problem = only_problem(text)
    assert problem.line == line
    assert f"(line {line}, column {column})" in problem.what


def test_a_syntax_error_does_not_quote_the_file() -> None:
    """The parser's own words do, and what they quote may be a secret."""
    for text in ("a: !hunter2!x y", "a: *hunter2", "a: %hunter2", "hunter2: [", "a: 'hunter2"):
        assert "hunter2" not in str(problems_of(text)[0].what)
        assert "hunter2" not in str(problems_of(text)[0].instead)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, document._LOADER])
def test_both_parsers_give_the_same_values(loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """libyaml is not everywhere."""
    monkeypatch.setattr(document, "_LOADER", loader)
    text = 'a: 1\nb: "1"\nc: {d: [x, 2.5, true, null, "", ~]}\ne: |\n  text\n'
    assert parse_document(text).root == {
        "a": 1,
        "b": "1",
        "c": {"d": ["x", 2.5, True, None, "", None]},
        "e": "text\n",
    }
    with pytest.raises(ConfigurationProblems, match="a colon"):
        parse_document("a: b: c")


def test_words_stay_words_and_only_numbers_are_numbers() -> None:
    """YAML 1.1 would make a bool of `no`, a number of `1:30` and a date of the last."""
    read = parse_document("a: no\nb: 1:30\nc: 0x1F\nd: 2026-11-22\ne: 1e3\nf: -7\ng: 1_000\n").root
    assert read == {
        "a": "no",
        "b": "1:30",
        "c": "0x1F",
        "d": "2026-11-22",
        "e": 1000.0,
        "f": -7,
        "g": "1_000",
    }


def test_a_number_of_absurd_length_stays_text() -> None:
    assert parse_document("a: " + "9" * 5000).root == {"a": "9" * 5000}


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    assert load_text(b"\xef\xbb\xbfschema_version: 1\n").settings.schema_version == 1


def test_every_flaw_is_told_with_its_path_and_line_and_the_rest_is_judged() -> None:
    text = """\
schema_version: 1
tenants: &all
  north: {connection: mock}
  south: *other
  north: {connection: gone}
connections:
  mock: !vendor {vendor: mock}
  mock2:
    vendor: !!str mock
logging: {level: loud}
"""
    found = {(problem.path, problem.line): problem.what for problem in problems_of(text)}
    assert found == {
        ("tenants", 2): "uses a YAML anchor or alias",
        ("tenants.south", 4): "uses a YAML anchor or alias",
        ("tenants.north", 3): "stands here twice",
        ("connections.mock", 7): "has a YAML tag",
        ("connections.mock2.vendor", 9): "has a YAML tag",
        ("logging.level", 10): "is none of the possible values",
    }


def test_merge_keys_are_unknown_keys() -> None:
    assert "<<" in parse_document("a: {<<: {b: 1}}").root["a"]


def test_a_key_that_is_no_name_is_not_printed() -> None:
    (problem,) = problems_of('schema_version: 1\n"client_secret=hunter2": x\n')
    assert "hunter2" not in str(problem)
    assert problem.line == 2


LETTERS = st.characters(max_codepoint=0xD7FF, exclude_categories=["Cc", "Zl", "Zp"])
WORDS = st.text(LETTERS, max_size=8)
PLAIN = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | WORDS
TREES = st.dictionaries(
    WORDS,
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)


@given(TREES)
def test_json_is_read_as_it_was(tree: dict[str, Any]) -> None:
    assert parse_document(json.dumps(tree, ensure_ascii=False)).root == tree


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_give_a_document_or_problems(content: bytes | str) -> None:
    try:
        root = parse_document(content).root
    except ConfigurationProblems as refused:
        root = {"problems": refused.problems}
    assert root or b"{" in (content if isinstance(content, bytes) else content.encode())


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    def read(path: Path) -> bytes:
        return path.read_bytes()

    for path, word in ((tmp_path / "none.yaml", "is not there"), (tmp_path, "IsADirectoryError")):
        with pytest.raises(ConfigurationProblems, match=word):
            load(path, env={}, read=read, vendors=VENDORS)


def test_an_anchor_on_the_whole_file_is_one_problem() -> None:
    problem = only_problem("&all\nschema_version: 1\nlogging: {level: loud}\n")
    assert (problem.path, problem.what) == ("", "uses a YAML anchor or alias")
