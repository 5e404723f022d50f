"""Times, sizes and rates, as typed and as read."""

from __future__ import annotations

import pytest

from seedshot_desktop.quantities import (
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_rate,
    printable,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("0.5h", 1800),
        ("45", 45),
        ("2H", 7200),
        (" 5m", 300),
        ("366d", 366 * 86400),
    ],
)
def test_a_time_is_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "m", "10x", "-5m", "0", "0s", "10m5", "5 10m", "1e3s", "367d", "٣m", "10m!"])
def test_what_is_no_time_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="like 90s, 10m, 2h or 1d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "rate"), [("2048", 2048), ("500K", 512_000), ("2M", 2 << 20), ("1.5m", 3 << 19), ("1G", 1 << 30)]
)
def test_a_rate_is_understood(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0", "1023", "fast", "-2M", "2T", "M"])
def test_what_is_no_rate_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="like 500K or 2M"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (-3, "0:00"), (7.9, "0:07"), (750, "12:30"), (3600, "1 h 0 min"), (90000, "1 d 1 h")],
)
def test_a_length_of_time_is_written_in_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (994, "994 bytes"),
        (1000, "1.00 kB"),
        (812_345, "812 kB"),
        (999_999, "1.00 MB"),
        (99_940_000, "99.9 MB"),
        (1_530_000_000, "1.53 GB"),
        (2 * 10**15, "2000 TB"),
    ],
)
def test_a_size_has_three_figures(count: int, text: str) -> None:
    assert format_size(count) == text


def test_a_hundred_per_cent_is_all_of_it() -> None:
    assert [format_percent(held, 1000) for held in (0, 1, 999, 1000)] == ["0 %", "0 %", "99 %", "100 %"]
    assert format_percent(0, 0) == "100 %"


def test_foreign_text_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[2Jb\r\n\u202ec") == "a�[2Jb���c"
    assert printable("x" * 65) == "x" * 63 + "…"
