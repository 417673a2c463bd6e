"""The token of the data listener is read, or made where there is none."""

import stat
from pathlib import Path

import pytest

from proxy.http.addresses import ListenerUnavailable
from proxy.http.tokens import token


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
