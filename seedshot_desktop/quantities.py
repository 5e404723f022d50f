"""Times, sizes and rates as people type and read them; pure."""

from __future__ import annotations

import math
import re

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_LONGEST_S = 366 * 24 * 3600
_TIME = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)", re.ASCII | re.IGNORECASE)
_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)\s*([kmg]?)(?:i?b(?:/s)?)?", re.ASCII | re.IGNORECASE)
_SIZE_STEPS = (("TB", 1000**4), ("GB", 1000**3), ("MB", 1000**2), ("kB", 1000))


def parse_duration(text: str) -> float:
    """Seconds in `text`: one or more numbers with s, m, h or d, as in ``1h30m``; a bare number is seconds.

    Raises ValueError, with a sentence, for anything else, for nothing at all, and
    for more than a year.
    """
    seconds, position = 0.0, 0
    while match := _TIME.match(text, position):
        number, unit = match.groups()
        if not unit and (position or match.end() != len(text)):
            break
        seconds += float(number) * _SECONDS[unit.lower()]
        position = match.end()
    if position != len(text) or not 0 < seconds <= _LONGEST_S:
        raise ValueError("a time is a number with s, m, h or d, like 90s, 10m, 2h or 1d, and at most a year")
    return seconds


def parse_rate(text: str) -> int:
    """Bytes per second in `text`: ``500K``, ``2M``, ``1.5M``; a bare number is bytes. K is 1024.

    Raises ValueError, with a sentence, for anything else and for less than one KiB per second.
    """
    match = _RATE.fullmatch(text.strip())
    rate = round(float(match[1]) * _BYTES[match[2].lower()]) if match else 0
    if rate < 1024:
        raise ValueError("a rate is a number with K, M or G, like 500K or 2M, in bytes per second and at least 1K")
    return rate


def format_duration(seconds: float) -> str:
    """`seconds` in at most two units: ``0:07`` and ``12:30`` up to an hour, then ``2 h 5 min`` and ``3 d 4 h``."""
    whole = max(0, math.floor(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // (24 * 3600)
    if hours == 0:
        return f"{minutes}:{whole % 60:02}"
    return f"{hours} h {minutes % 60} min" if days == 0 else f"{days} d {hours % 24} h"


def format_size(count: float) -> str:
    """`count` bytes with three figures, in steps of 1000 as file managers have them: ``812 kB``, ``1.53 GB``."""
    for unit, step in _SIZE_STEPS:
        if round(count / step, 2) >= 1:
            value = count / step
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
    return f"{round(count)} bytes" if round(count) != 1 else "1 byte"


def format_percent(part: int, whole: int) -> str:
    """``37 %``; never 100 before `part` is `whole`, and 100 for nothing of nothing."""
    return f"{min(99, part * 100 // whole) if part < whole else 100} %"


def printable(text: str, limit: int = 64) -> str:
    """`text` from somewhere else, fit for a terminal: no control characters, no direction marks, at most `limit`."""
    clean = "".join(character if character.isprintable() else "�" for character in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 viewer``, ``2 viewers``."""
    return f"{count} {one if count == 1 else many or one + 's'}"
