"""The token of the data listener is read, or made where there is none."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http.addresses import ListenerUnavailable
from proxy.http.tokens import FORMER, MODE_ANY_USER, HeldToken, TokenFile, rotated, token


def test_a_token_that_is_there_is_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("0123456789abcdef\n")
    assert token(path) == b"0123456789abcdef"
    assert path.read_text() == "0123456789abcdef\n"


def test_an_absent_token_is_made_for_the_owner_alone_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"
    made = token(path)
    assert len(made) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token(path) == made
    assert list(tmp_path.iterdir()) == [path]


def test_a_token_may_be_made_for_any_user_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "token"
    before = os.umask(0o077)
    try:
        token(path, mode=MODE_ANY_USER)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("content", ["", "short", "two tokens-that-are-long-enough"])
def test_a_file_that_holds_no_token_opens_no_listener(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(ListenerUnavailable) as raised:
        token(path)
    assert not content or content not in str(raised.value)


def test_a_token_that_can_be_neither_read_nor_made_opens_no_listener(tmp_path: Path) -> None:
    with pytest.raises(ListenerUnavailable, match="No such file"):
        token(tmp_path / "nowhere" / "token")


OLD, NEW = b"old-token-old-token", b"new-token-new-token"


def test_after_a_rotation_both_tokens_are_accepted_for_a_while_and_then_the_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "token"
    path.write_bytes(OLD)
    file = TokenFile(path)
    assert file.look(now=0, overlap_s=60) == (OLD,)
    path.write_bytes(NEW)
    assert file.look(now=10, overlap_s=60) == (NEW, OLD)
    assert file.look(now=69.9, overlap_s=60) == (NEW, OLD)
    assert file.look(now=70, overlap_s=60) == (NEW,)
    assert "token" not in repr(HeldToken(NEW)).replace("HeldToken", "")


@pytest.mark.parametrize("content", [b"", b"short", b"two words-of-a-token", None])
def test_a_bad_or_absent_file_leaves_the_last_good_token_and_says_so(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "token"
    path.write_bytes(OLD)
    file = TokenFile(path)
    file.look(now=0, overlap_s=60)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert file.look(now=1, overlap_s=60) == (OLD,)
    assert file.problem
    assert path.exists() == (content is not None)
    path.write_bytes(NEW)
    assert file.look(now=2, overlap_s=60) == (NEW, OLD)
    assert file.problem == ""


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.floats(0.1, 50)), min_size=1)
)
def test_whatever_the_file_said_its_latest_token_is_first_and_no_former_one_outlives_its_time(
    story: list[tuple[bytes, float]],
) -> None:
    held: tuple[HeldToken, ...] = ()
    now, last_said = 0.0, dict.fromkeys([b"a", b"b", b"c", b"d"], -1000.0)
    for latest, pause_s in story:
        held = rotated(held, latest, now=now, overlap_s=30)
        values = [one.value for one in held]
        assert values[0] == latest
        assert len(values) == len(set(values)) <= 1 + FORMER
        assert all(now <= last_said[one] + 50 + 30 for one in values[1:])
        now += pause_s
        last_said[latest] = now
