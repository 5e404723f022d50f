"""A block of lines at the bottom of a terminal that is drawn again in place; plain ANSI.

What was drawn is measured anew against the width of the terminal before it is
replaced, so a window that was made narrower meanwhile leaves no rests behind.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

_FALLBACK_SIZE = (80, 24)


class Block:
    """Lines that stay at the bottom; what is printed goes above them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn: list[str] = []

    def draw(self, lines: Sequence[str]) -> None:
        """Show `lines` in place of those before; each is cut to the width."""
        columns, rows = self.size()
        fitting = [fit(line, columns - 1) for line in lines[: rows - 1]]
        if fitting != self._drawn:
            self._stream.write(self._erase(columns) + "".join(f"{line}\n" for line in fitting))
            self._stream.flush()
            self._drawn = fitting

    def print(self, text: str) -> None:
        """Put `text` above the block, for good."""
        columns, _ = self.size()
        self._stream.write(self._erase(columns) + f"{text}\n" + "".join(f"{line}\n" for line in self._drawn))
        self._stream.flush()

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal, at least 20 and 5."""
        try:
            size: tuple[int, int] = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            size = shutil.get_terminal_size(_FALLBACK_SIZE)
        columns, rows = size
        return max(20, columns or _FALLBACK_SIZE[0]), max(5, rows or _FALLBACK_SIZE[1])

    def _erase(self, columns: int) -> str:
        rows = sum(max(1, -(-width(line) // columns)) for line in self._drawn)
        return f"\x1b[{rows}A\r\x1b[J" if rows else ""


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` is one that understands ANSI."""
    try:
        return stream.isatty() and os.environ.get("TERM", "") != "dumb" and _understands_ansi(stream)
    except ValueError:  # closed
        return False


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the encoding of `stream` has the characters of `text`."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return sum(_columns(character) for character in text)


def fit(text: str, columns: int) -> str:
    """`text`, cut to `columns`."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used > columns - 1:
            break
        kept += character
    return kept + "…"


def pad(text: str, columns: int) -> str:
    """`text`, cut or filled up to exactly `columns`."""
    cut = fit(text, columns)
    return cut + " " * (columns - width(cut))


def bar(part: float, columns: int, *, fine: bool = True) -> str:
    """A progress bar for `part` of 1, half a column fine where the characters for it are there."""
    part = min(1.0, max(0.0, part))
    if not fine:
        return ("#" * int(part * columns)).ljust(columns, "-")
    halves = int(part * columns * 2)
    full, half = divmod(halves, 2)
    return ("━" * full + "╸" * half).ljust(columns, "┈")


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _understands_ansi(stream: TextIO) -> bool:
    """Windows' console has to be asked; everything else does."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        import msvcrt  # noqa: PLC0415

        mode = ctypes.c_uint32()
        kernel = ctypes.windll.kernel32
        handle = msvcrt.get_osfhandle(stream.fileno())
        enable_virtual_terminal = 0x0004
        asked = kernel.GetConsoleMode(handle, ctypes.byref(mode))
        return bool(asked and kernel.SetConsoleMode(handle, mode.value | enable_virtual_terminal))
    else:  # noqa: RET505 - so that each branch is checked on its own platform
        return True
