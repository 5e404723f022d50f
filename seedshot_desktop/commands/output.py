"""The two streams of a command: results on standard output, words for the person on standard error."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from seedshot_desktop.settings import is_open_to_listeners


def prepare(*, json: bool) -> None:
    """Let no character that a terminal lacks stop a command; JSON is UTF-8 wherever it goes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if json and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


def result(text: str) -> None:
    """One line of what was asked for, at once."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """One line for the person."""
    _write(sys.stderr, text)


def warn_of_listeners(server_url: str) -> None:
    """One line where what is said to that server can be read on the way; a warning, not a refusal."""
    if is_open_to_listeners(server_url):
        note(
            "seedshot: The server's address begins with http://, so links, and the proof that a share is yours, "
            "can be read on the way to it. Use https:// if it has it."
        )


def flush() -> None:
    """Everything that was written is out, or nobody reads it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        forget()


def forget() -> None:
    """Nobody reads any more: point the streams at nothing, so that the interpreter's last flush is quiet."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nothing, stream.fileno())


def _write(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()
