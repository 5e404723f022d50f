"""The command ``seedshot``: what may be typed, and the one place where errors become text and exit codes.

Commands are imported when they are called: ``seedshot list`` loads neither Qt
nor the engine. Without a command the tray app starts.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from seedshot_desktop import system_packages
from seedshot_desktop.commands import events, grammar, log, output
from seedshot_desktop.control import Code, ControlRefusedError
from seedshot_desktop.control_client import NotRunningError
from seedshot_desktop.errors import SeedshotError

DONE = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
CANCELLED = 4
INTERRUPTED = 130

_ID_CHARS = 14


class DisplayError(SeedshotError):
    """The tray app has nowhere to be."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = grammar.parser().parse_args(_ids_kept(given))
    json = getattr(options, "json", False)
    output.prepare(json=json)
    return guarded(lambda: _run(options), json=json)


def guarded(run: Callable[[], int], *, json: bool = False) -> int:
    """The exit code of `run`; whatever it raises becomes a sentence, never a traceback."""
    try:
        code = run()
        sys.stdout.flush()
    except SeedshotError as error:
        return _told(str(error), _code_of(error), json=json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        output.forget()
        return DONE
    except ImportError as error:
        return _told(_not_installed(error), FAILED, json=json)
    except Exception as error:
        return _told(_unexpected(error), FAILED, json=json)
    return code


def _run(options: argparse.Namespace) -> int:
    log.start(verbose=getattr(options, "verbose", False))
    match options.command:
        case None:
            _require_display()
            from seedshot_desktop import app  # noqa: PLC0415 - Qt

            return app.main(sys.argv[:1])
        case "share":
            from seedshot_desktop.commands import share  # noqa: PLC0415 - the engine

            return share.command(options)
        case "settings":
            from seedshot_desktop.commands import configure  # noqa: PLC0415

            return configure.command(options)
        case "doctor":
            from seedshot_desktop import doctor  # noqa: PLC0415

            return doctor.command(options)
    from seedshot_desktop.commands import remote  # noqa: PLC0415

    return remote.command(options)


def _require_display() -> None:
    """One line in place of whatever Qt would say; raises DisplayError. QT_QPA_PLATFORM may name a way without one."""
    if not (system_packages.has_display() or os.environ.get("QT_QPA_PLATFORM")):
        raise DisplayError("There is no display here. Share a file from the terminal: seedshot share FILE")


def _not_installed(error: ImportError) -> str:
    if library := re.search(r"lib[\w.+-]+\.so[\w.]*", str(error)):
        return f"The system's library {library[0]} is not installed. `seedshot doctor` says which package has it."
    return f"{error.name or 'A part'} is not installed. Run `python3 -m seedshot_desktop`, which installs it."


def _told(problem: str, code: int, *, json: bool) -> int:
    """Say `problem`, for a program where one asked; the exit code."""
    try:
        if json:
            output.result(events.line(events.error(problem)))
        else:
            output.note(f"seedshot: {problem}")
    except OSError:  # nobody reads any more
        output.forget()
    return code


def _code_of(error: SeedshotError) -> int:
    if isinstance(error, NotRunningError):
        return NOT_RUNNING
    cancelled = isinstance(error, ControlRefusedError) and error.reply.code is Code.CANCELLED
    return CANCELLED if cancelled else FAILED


def _unexpected(error: Exception) -> str:
    """A fault of Seedshot's own: where it was, which names nobody and nothing of the person's."""
    log.fault(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"Something went wrong that should not have ({type(error).__name__} in {place}). --verbose tells more."


def _ids_kept(arguments: list[str]) -> list[str]:
    """An id may begin with a dash; with ``--`` before it, it is not taken for an option."""
    if arguments[:1] == ["revoke"]:
        for place, argument in enumerate(arguments):
            if len(argument) == _ID_CHARS and argument.startswith("-") and not argument.startswith("--"):
                return [*arguments[:place], "--", *arguments[place:]]
    return arguments
