"""Lengths of time as people type and read them: ``90s``, ``10m``, ``2h``, ``1d``; pure."""

from __future__ import annotations

import math
import re

_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_LONGEST_S = 366 * 24 * 3600
_ONE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds in `text`: one or more numbers with s, m, h or d, as in ``1h30m``; a bare number is seconds.

    Raises ValueError, with a sentence, for anything else, for nothing at all, and
    for more than a year.
    """
    seconds, position = 0.0, 0
    while match := _ONE.match(text, position):
        number, unit = match.groups()
        if not unit and (position or match.end() != len(text)):
            break
        seconds += float(number) * _UNITS_S[unit.lower()]
        position = match.end()
    if position != len(text) or not 0 < seconds <= _LONGEST_S:
        raise ValueError("A time is a number with s, m, h or d, like 90s, 10m, 2h or 1d, and at most a year.")
    return seconds


def format_duration(seconds: float) -> str:
    """`seconds` in at most two units: ``0:07``, ``12:30`` up to an hour, then ``2 h 5 min`` and ``3 d 4 h``."""
    whole = max(0, math.floor(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // (24 * 3600)
    if hours == 0:
        return f"{minutes}:{whole % 60:02}"
    return f"{hours} h {minutes % 60} min" if days == 0 else f"{days} d {hours % 24} h"
