import json
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, Reason
from proxy.exchange.json_body import DEPTH, VALUES, is_nested_deeper, parse, structure

texts = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from('[]{}"\\,:'))
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=40,
)


as_is = partial(json.dumps, ensure_ascii=False)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(documents)
def test_what_is_written_is_what_is_read(document: Any) -> None:
    assert parse(json.dumps(document).encode()) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@given(documents, st.integers(0, 6), st.sampled_from([json.dumps, as_is]))
def test_nesting_is_counted_outside_of_strings_alone(
    document: Any, limit: int, dumps: Callable[[Any], str]
) -> None:
    body = dumps(document).encode()
    assert is_nested_deeper(structure(body), limit) == (depth(document) > limit)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_json_or_refused(body: bytes) -> None:
    try:
        json.dumps(parse(body), default=str)
    except LookupFailed as error:
        failure: LookupFailed | None = error
    else:
        failure = None
    assert failure is None or failure.reason is Reason.BAD_RESPONSE
    # A parser's exception carries the body along.
    assert failure is None or failure.__context__ is None


@pytest.mark.parametrize(
    ("literal", "number"),
    [
        ("12.50", "12.50"),
        ("20", "20"),
        ("-0", "-0"),
        ("1E+3", "1E+3"),
        ("1E+999", "1E+999"),
        ("1E+999999", "NaN"),
        ("1e1000000000000000000", "NaN"),
        ("1e-999999", "NaN"),
        ("9" * 5000, "NaN"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
    ],
)
def test_every_number_is_a_decimal_and_one_that_nobody_means_is_nan(
    literal: str, number: str
) -> None:
    parsed = parse(f"[{literal}]".encode())[0]
    assert isinstance(parsed, Decimal)
    assert str(parsed) == number


@pytest.mark.parametrize(
    "body", [b"", b" \r\n", b"\xef\xbb\xbf", b"{", b"[1,]", b"nope", b'"\x00"']
)
def test_a_body_that_is_not_json_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(LookupFailed) as failed:
        parse(body)
    assert failed.value.reason is Reason.BAD_RESPONSE


def test_another_encoding_than_utf_8_is_a_bad_response() -> None:
    with pytest.raises(LookupFailed, match="not UTF-8"):
        parse('["ä"]'.encode("latin-1"))


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse(b'\xef\xbb\xbf{"a": null}') == {"a": None}


def test_of_a_name_given_twice_the_last_one_stands() -> None:
    assert parse(b'{"a": "1", "a": "2"}') == {"a": "2"}


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"x\uDFFFy"', "x\ufffdy"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\ud800\\n"', "\ufffd\\n"),
    ],
)
def test_half_a_surrogate_pair_cannot_reach_an_encoder(literal: str, text: str) -> None:
    parsed = parse(literal.encode())
    assert parsed == text
    assert parsed.encode()


def test_as_deep_as_is_allowed_passes_and_one_more_does_not() -> None:
    assert parse(b"[" * DEPTH + b"]" * DEPTH)
    with pytest.raises(LookupFailed, match="deeper"):
        parse(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))


@pytest.mark.parametrize("value", [b"[]", b"{}", b'""', b"null", b"1", b'{"a":"b"}'])
def test_more_values_than_anybody_reads_are_a_bad_response(value: bytes) -> None:
    assert len(parse(b"[" + b",".join([value] * (VALUES // 3 - 2)) + b"]")) == VALUES // 3 - 2
    with pytest.raises(LookupFailed, match="values"):
        parse(b"[" + b",".join([value] * VALUES) + b"]")


@given(texts)
def test_what_is_written_in_a_string_is_no_value(text: str) -> None:
    assert len(structure(json.dumps([text, text]).encode())) == len("[,]")


@pytest.mark.parametrize(
    "body", [b"[" * 4_000_000, b'{"a":' * 1_000_000, b'"' + b'\\"' * 2_000_000, b'"a' * 2_000_000]
)
def test_a_hostile_body_costs_a_bounded_multiple_of_its_size(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(LookupFailed):
            parse(body)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(body)
    finally:
        tracemalloc.stop()
