"""Parsing: what is right goes through unchanged, and whatever is sent ends in 4xx at worst."""

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.http import requests
from proxy.http.problems import Problem, ProblemType

UUIDS = st.uuids(allow_nil=True)


def headers(*pairs: tuple[str, str]) -> "CIMultiDictProxy[str]":
    return CIMultiDictProxy(CIMultiDict(pairs))


def parsed(body: bytes, most: int = 200) -> list[UUID] | Problem:
    try:
        return requests.customer_ids(body, most=most)
    except Problem as problem:
        return problem


def refused(body: bytes, most: int = 200) -> Problem:
    outcome = parsed(body, most)
    assert isinstance(outcome, Problem)
    return outcome


@given(st.lists(UUIDS, max_size=50), st.sampled_from([str, lambda one: str(one).upper()]))
def test_ids_come_out_as_they_went_in(ids: list[UUID], written: object) -> None:
    body = json.dumps({"customer_ids": [written(one) for one in ids]})  # type: ignore[operator]
    assert requests.customer_ids(body.encode(), most=50) == ids


@given(st.binary(max_size=400))
@example(b"[" * 65_536)
@example(b'{"a":' * 10_000)
@example(b'{"customer_ids":' + b"[" * 500 + b"]" * 500 + b"}")
@example(b'{"customer_ids":' + b"9" * 60_000 + b"}")
@example(b'{"customer_ids":[1e999,-0,NaN]}')
@example(b'"' + b"\\" * 65_000)
@example(b'{"customer_ids":["\\ud800"]}')
def test_any_bytes_are_ids_or_a_refusal(body: bytes) -> None:
    outcome = parsed(body)
    assert isinstance(outcome, list) or outcome.status in {400, 413, 422}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | UUIDS.map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("customer_ids"), inner),
)


@given(JSON | st.fixed_dictionaries({"customer_ids": JSON}))
def test_any_json_is_ids_or_a_refusal_that_repeats_none_of_it(content: object) -> None:
    outcome = parsed(json.dumps(content).encode())
    if isinstance(outcome, Problem):
        assert outcome.status in {400, 413, 422}
        where = (outcome.pointer or "").rstrip("0123456789")
        assert where in {"", "/customer_ids", "/customer_ids/"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", ""),
        ('"customer_ids"', ""),
        ("{}", ""),
        ('{"customers": []}', ""),
        ('{"customer_ids": [], "447700900123": 1}', ""),
        ('{"customer_ids": null}', "/customer_ids"),
        ('{"customer_ids": {"0": 1}}', "/customer_ids"),
        ('{"customer_ids": [1]}', "/customer_ids/0"),
        ('{"customer_ids": ["00000000-0000-0000-0000-000000000001", "x"]}', "/customer_ids/1"),
        ('{"customer_ids": ["{00000000-0000-0000-0000-000000000001}"]}', "/customer_ids/0"),
        ('{"customer_ids": ["00000000000000000000000000000001"]}', "/customer_ids/0"),
        ('{"customer_ids": ["urn:uuid:00000000-0000-0000-0000-000000000001"]}', "/customer_ids/0"),
        ('{"customer_ids": ["00000000-0000-0000-0000-000000000001\\n"]}', "/customer_ids/0"),
        ('{"customer_ids": ["٠0000000-0000-0000-0000-000000000001"]}', "/customer_ids/0"),
    ],
)
def test_what_is_not_valid_is_pointed_at(body: str, pointer: str) -> None:
    problem = refused(body.encode())
    assert (problem.type, problem.pointer) == (ProblemType.INVALID, pointer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"customer_ids": []} {}',
        b'{"customer_ids": [], "customer_ids": []}',
        b'{"customer_ids": [NaN]}',
        b'{"customer_ids": [-Infinity]}',
        b'\xef\xbb\xbf{"customer_ids": []}',
        '{"customer_ids": []}'.encode("utf-16"),
        b'{"customer_ids": ["\xff"]}',
        b'{"customer_ids": ' + b"[" * 32 + b"]" * 32 + b"}",
    ],
)
def test_what_is_no_json_of_ours_is_malformed(body: bytes) -> None:
    assert refused(body).type is ProblemType.MALFORMED


def test_a_bracket_inside_a_text_does_not_nest() -> None:
    body = json.dumps({"customer_ids": ["[" * 100 + '\\"' + "{" * 100]})
    assert refused(body.encode()).type is ProblemType.INVALID


def test_more_ids_than_a_batch_holds_are_too_large_duplicates_included() -> None:
    same = ["00000000-0000-0000-0000-000000000001"]
    assert len(requests.customer_ids(json.dumps({"customer_ids": same * 3}).encode(), most=3)) == 3
    problem = refused(json.dumps({"customer_ids": same * 4}).encode(), most=3)
    assert (problem.status, problem.pointer) == (413, "/customer_ids")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
    ],
)
def test_json_in_utf_8_is_a_known_content_type(kind: str) -> None:
    requests.json_content(headers(("Content-Type", kind), ("Content-Encoding", "identity")))


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/jsonp")],
        [("Content-Type", "application/json, text/plain")],
        [("Content-Type", "application/json; charset=latin-1")],
        [("Content-Type", "application/json"), ("Content-Type", "application/json")],
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
    ],
)
def test_any_other_content_is_of_no_known_type(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Problem) as raised:
        requests.json_content(headers(*pairs))
    assert raised.value.status == 415


@given(st.text(), st.floats(0.001, 60))
def test_a_timeout_only_shortens(text: str, longest_s: float) -> None:
    try:
        budget_s = requests.budget_s(headers(("X-Request-Timeout-Ms", text)), longest_s)
    except Problem:
        assert not (text.isascii() and text.isdigit()) or int(text) == 0 or len(text) > 9
    else:
        assert 0 < budget_s <= longest_s


@given(st.integers(1, 10**9 - 1))
def test_a_timeout_is_taken_in_milliseconds(milliseconds: int) -> None:
    given_one = headers(("X-Request-Timeout-Ms", str(milliseconds)))
    assert requests.budget_s(given_one, 10**7) == milliseconds / 1000


def test_without_a_timeout_the_budget_is_whole_and_two_are_none() -> None:
    assert requests.budget_s(headers(), 1.9) == 1.9
    with pytest.raises(Problem):
        requests.budget_s(
            headers(("X-Request-Timeout-Ms", "5"), ("X-Request-Timeout-Ms", "5")), 1.9
        )


def test_two_ids_whose_letters_only_together_are_those_of_two_ids_are_refused() -> None:
    both = f"{uuid4()}{uuid4()}"
    body = json.dumps({"customer_ids": [both[:35], both[35:]]}).encode()
    with pytest.raises(Problem) as refused:
        requests.customer_ids(body, most=200)
    assert refused.value.pointer == "/customer_ids/0"


_GOOD = "5f0e7a51-6c6e-4a7b-9a53-5f2c19f1f001"


@pytest.mark.parametrize(
    "wrong",
    [
        _GOOD.replace("5f0e", "  5f"),  # white space, which is no digit
        _GOOD.replace("7a51", "7a5g"),
        _GOOD.replace("7a51", "7a5\u0661"),  # a digit elsewhere
        _GOOD.replace("7a51-6c6e", "7a5-16c6e"),
        _GOOD.replace("7a51", "7-51"),
        _GOOD[:-1] + "\ud800",
        "-" * 36,
        [_GOOD],
        {_GOOD: 1},
        7,
    ],
)
def test_one_wrong_id_among_good_ones_is_pointed_at(wrong: object) -> None:
    body = json.dumps({"customer_ids": [_GOOD, wrong, _GOOD]}).encode()
    problem = refused(body)
    assert (problem.status, problem.pointer) == (422, "/customer_ids/1")


@given(st.lists(st.uuids(), min_size=1, max_size=3), st.data())
def test_what_looks_almost_like_ids_is_refused(ids: list[UUID], data: st.DataObject) -> None:
    texts = [str(one) for one in ids]
    at = data.draw(st.integers(0, len(texts) - 1))
    place = data.draw(st.integers(0, 35))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda one: one != texts[at][place]))
    texts[at] = texts[at][:place] + letter + texts[at][place + 1 :]
    outcome = parsed(json.dumps({"customer_ids": texts}).encode())
    is_digit = letter in "0123456789abcdefABCDEF" and place not in {8, 13, 18, 23}
    assert isinstance(outcome, list) is is_digit
