"""Who is let in, decided on headers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.http.gate import Gate, is_loopback_authority
from proxy.http.problems import Problem, ProblemType

LOOPBACK = Gate(loopback_host=True)


def refusal(gate: Gate, *pairs: tuple[str, str], target: str | None = None) -> ProblemType | None:
    try:
        gate.admit(CIMultiDictProxy(CIMultiDict(pairs)), target_host=target)
    except Problem as problem:
        return problem.type
    return None


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8650", "127.0.0.1", "127.0.0.1:8650", "127.8.9.1:1", "[::1]:8650"],
)
def test_a_loopback_host_is_let_in(host: str) -> None:
    assert refusal(LOOPBACK, ("Host", host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8650",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "localhost:80:90",
        "localhost:x",
        "localhost/evil",
        "localhost#",
        "10.0.0.1:8650",
        "0.0.0.0",
        "[::2]",
        "::1",
        "",
        " localhost",
        "2130706433",
        "0x7f.1",
    ],
)
def test_any_other_host_is_foreign(host: str) -> None:
    assert refusal(LOOPBACK, ("Host", host)) is ProblemType.FOREIGN


@given(st.text())
def test_an_authority_of_any_shape_is_judged(text: str) -> None:
    assert is_loopback_authority(text) in {True, False}


def test_no_host_or_two_are_malformed() -> None:
    assert refusal(LOOPBACK) is ProblemType.MALFORMED
    twice = [("Host", "localhost"), ("Host", "localhost")]
    assert refusal(LOOPBACK, *twice) is ProblemType.MALFORMED


def test_the_host_of_an_absolute_target_counts_too() -> None:
    host = ("Host", "localhost")
    assert refusal(LOOPBACK, host, target="evil.example") is ProblemType.FOREIGN
    assert refusal(LOOPBACK, host, target="127.0.0.1") is None


def test_on_a_unix_socket_any_host_will_do() -> None:
    assert refusal(Gate(loopback_host=False), ("Host", "bss")) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "anything"])
def test_pages_of_other_sites_are_refused(site: str) -> None:
    assert refusal(LOOPBACK, ("Host", "localhost"), ("Sec-Fetch-Site", site)) is ProblemType.FOREIGN


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_page_that_a_person_opened_is_let_in(site: str) -> None:
    assert refusal(LOOPBACK, ("Host", "localhost"), ("Sec-Fetch-Site", site)) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "https://localhost:8652",
        "http://127.0.0.1:8652",
        "",
    ],
)
def test_another_origin_is_refused_be_it_only_another_port_or_scheme(origin: str) -> None:
    host = ("Host", "localhost:8652")
    assert refusal(LOOPBACK, host, ("Origin", origin)) is ProblemType.FOREIGN


def test_the_own_origin_is_let_in() -> None:
    pairs = [("Host", "localhost:8652"), ("Origin", "http://localhost:8652")]
    assert refusal(LOOPBACK, *pairs) is None


def test_a_listener_that_does_not_ask_for_origins_takes_any() -> None:
    gate = Gate(loopback_host=False, own_origin=False)
    assert refusal(gate, ("Origin", "https://evil.example")) is None


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Bearer s3cret-s3cret-x", "s3cret-s3cret-1", "Basic s3cret-s3cret-1"],
)
def test_a_wrong_token_is_401_and_says_how_to_come_in(value: str) -> None:
    gate = Gate(loopback_host=True, token=b"s3cret-s3cret-1")
    pairs = CIMultiDictProxy(CIMultiDict([("Host", "localhost"), ("Authorization", value)]))
    with pytest.raises(Problem) as raised:
        gate.admit(pairs)
    assert raised.value.status == 401
    assert raised.value.headers["WWW-Authenticate"].startswith("Bearer ")


def test_the_right_token_comes_in_and_is_in_no_repr() -> None:
    gate = Gate(loopback_host=True, token=b"s3cret-s3cret-1")
    host = ("Host", "localhost")
    assert refusal(gate, host, ("Authorization", "Bearer s3cret-s3cret-1")) is None
    assert refusal(gate, host, ("Authorization", "bearer  s3cret-s3cret-1")) is None
    assert refusal(gate, host) is ProblemType.UNAUTHORIZED
    twice = [("Authorization", "Bearer s3cret-s3cret-1")] * 2
    assert refusal(gate, host, *twice) is ProblemType.UNAUTHORIZED
    assert "s3cret" not in repr(gate)


def test_the_token_before_the_latest_comes_in_as_long_as_the_gate_says_so() -> None:
    gate = Gate(loopback_host=False, token=b"s3cret-s3cret-2", former_tokens=(b"s3cret-s3cret-1",))
    for token in ("s3cret-s3cret-1", "s3cret-s3cret-2"):
        assert refusal(gate, ("Authorization", f"Bearer {token}")) is None
    assert refusal(gate, ("Authorization", "Bearer s3cret-s3cret-3")) is ProblemType.UNAUTHORIZED
    assert "s3cret" not in repr(gate)
