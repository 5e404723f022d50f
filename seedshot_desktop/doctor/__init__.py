"""``seedshot doctor``: what works on this computer, what does not, and what to do about it.

Each check looks for itself and never at another's result. What touches the
display, and may hang or crash with it, is tried in a process of its own
(``probes``). Nothing is changed, and no picture is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from seedshot_desktop.commands import events, output
from seedshot_desktop.doctor.checks import Check, Finding, every_check

_MARKS = {Finding.WORKS: "✓", Finding.LIMITED: "–", Finding.FAILS: "✗"}
_INDENT = 14


def command(options: argparse.Namespace) -> int:
    """Print every finding as it is made; 1 when something fails that sharing needs, otherwise 0."""
    failed = False
    for check in every_check():
        failed |= check.finding is Finding.FAILS
        output.result(events.line(as_object(check)) if options.json else "\n".join(lines(check)))
    if not options.json:
        output.note(_summary(failed))
    return int(failed)


def as_object(check: Check) -> dict[str, object]:
    """The JSON object for one finding."""
    return {"check": check.name, "finding": check.finding.value, "details": check.details, "advice": check.advice}


def lines(check: Check) -> Iterable[str]:
    """One finding for people: a mark, what was looked at, what was found, and below it what to do."""
    yield f"{_MARKS[check.finding]} {check.name:<{_INDENT - 2}}{check.details}"
    if check.advice:
        yield f"{'':<{_INDENT}}{check.advice}"


def _summary(failed: bool) -> str:
    if failed:
        return "\nSomething that sharing needs does not work; see the lines with ✗."
    return "\nSharing works on this computer."
