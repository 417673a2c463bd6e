"""Durations and sizes, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("450ms", 0.45), ("1.9s", 1.9), ("5m", 300), ("1h", 3600), ("7d", 604_800), (" 2s ", 2)],
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "size"), [("512B", 512), ("64KiB", 65_536), ("1GiB", 1024**3)])
def test_a_size_has_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        1,
        1.5,
        None,
        True,
        "1 s",
        "-1s",
        "0s",
        "1S",
        "1.s",
        ".5s",
        "1e3s",
        "366d",
        "９s",
        "1s\n1s",
    ],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a duration above zero"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "1", 1, None, "1KB", "1.5KiB", "-1B", "0B", "999999999GiB", "9" * 5000 + "B"]
)
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a size above zero"):
        parse_size(text)


@given(st.integers(1, 365 * 86_400_000))
def test_a_duration_survives_being_written(milliseconds: int) -> None:
    written = format_duration(milliseconds / 1000)
    assert parse_duration(written) == pytest.approx(milliseconds / 1000, rel=1e-9)


@given(st.integers(1, 999_999_999))
def test_a_size_survives_being_written(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.45, "450ms"), (1.9, "1.9s"), (300, "5m"), (90, "90s"), (86_400, "1d"), (0.0005, "0.5ms")],
)
def test_a_duration_is_written_in_a_unit_that_suits_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
