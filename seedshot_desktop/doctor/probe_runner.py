"""Runs one probe in a process of its own: what hangs is given up, what crashes takes nobody with it."""

from __future__ import annotations

import subprocess
import sys

import msgspec

_WITHIN_S = 15.0
_ADVICE = "Run `seedshot doctor` again with --verbose, and report what it says."


class Answer(msgspec.Struct, frozen=True):
    """What a probe found."""

    works: bool
    details: str
    advice: str = ""
    taken: bool = False
    """The hotkey probe: somebody else holds the combination."""


def probe(name: str, *arguments: str, within_s: float = _WITHIN_S) -> Answer:
    """The answer of the probe `name`, as ``probes`` has them; never raises."""
    command = [sys.executable, "-m", "seedshot_desktop.doctor.probes", name, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - this very Python
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=within_s, check=False
        )
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Answer)
    except subprocess.TimeoutExpired:
        return Answer(works=False, details=f"no answer within {within_s:.0f} s", advice=_ADVICE)
    except (msgspec.MsgspecError, IndexError):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"ended with code {done.returncode}"
        return Answer(works=False, details=f"it ended without an answer: {reason[:200]}", advice=_ADVICE)
    except OSError as error:
        return Answer(works=False, details=f"it could not be tried: {error.strerror}")
