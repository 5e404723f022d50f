"""``python3 -m tests [pytest's arguments]``: sets everything up where needed, and runs all tests.

Standard library only until the environment stands. ``--prepare`` alone sets up
and runs nothing. The last line counts what ran; the exit code is 0 only when
everything passed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
NOT_TESTED = 2
PURE = ("tests/unit", "tests/test_architecture.py")
"""What runs beside the rest, in a process of its own: minutes of simulated networks, and nothing that is timed."""


def main(arguments: Sequence[str]) -> int:
    """Set up, run both suites, print the totals; the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        _say("tests: Python 3.11 or newer is needed. Type, for example: python3.11 -m tests")
        return NOT_TESTED
    from seedshot_desktop import bootstrap
    from seedshot_desktop.errors import SeedshotError
    from tests.support import machine

    try:
        machine.prepare(_say)
        python = bootstrap.ensure_environment(("test",))
    except (machine.MachineError, SeedshotError) as error:
        _say(f"tests: {error}")
        return NOT_TESTED
    if list(arguments) == ["--prepare"]:
        return 0
    if left_out := machine.not_run_here():
        _say(f"{len(left_out)} test modules are not run here: they need X11, Linux' networks, or Debian's browsers.")
    return _run(str(python), machine.node_command(), arguments)


def _run(python: str, node: Sequence[str], arguments: Sequence[str]) -> int:
    started = time.monotonic()
    counts = [_run_page_tests(node)]
    if arguments:
        counts.append(_run_pytest(python, arguments))
    else:
        with ThreadPoolExecutor(1) as other_core:  # what needs no screen, browser or socket steps back for what does
            pure = other_core.submit(_run_pytest, python, PURE, in_background=True)
            counts.append(_run_pytest(python, ["tests", *(f"--ignore={path}" for path in PURE)]))
            counts.append(pure.result())
    passed, failed = (sum(count) for count in zip(*counts, strict=True))
    verdict = "all passed" if failed == 0 and passed > 0 else "NOT all passed"
    _say(f"{passed} passed, {failed} failed in {time.monotonic() - started:.0f} s: {verdict}")
    return 0 if failed == 0 and passed > 0 else 1


def _run_page_tests(node: Sequence[str]) -> tuple[int, int]:
    """How many tests of the page's modules passed and failed; no npm package is involved."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "viewer").rglob("*.test.*js"))
    if not files:
        return 0, 0
    done = subprocess.run(
        [*node, "--test", *files], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    totals = {name: int(count) for name, count in re.findall(r"^\S+ (pass|fail|cancelled) (\d+)$", done.stdout, re.M)}
    failed = totals.get("fail", 0) + totals.get("cancelled", 0)
    if done.returncode or failed:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    print(f"page modules: {totals.get('pass', 0)} passed, {failed} failed", flush=True)
    return totals.get("pass", 0), failed or int(done.returncode != 0)


def _run_pytest(python: str, arguments: Sequence[str], *, in_background: bool = False) -> tuple[int, int]:
    """How many of pytest's tests passed, and how many did not; in the background it prints when it is over."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        cache = ("-p", "no:cacheprovider") if in_background else ()
        done = subprocess.run(
            [*_nice(in_background), python, "-m", "pytest", f"--junitxml={report}", *cache, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if in_background else None,
            stderr=subprocess.STDOUT if in_background else None,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            check=False,
        )
        passed, failed = _count(report) if report.exists() else (0, 0)
    if in_background:
        print(done.stdout, flush=True)
    return passed, failed or int(done.returncode != 0)


def _nice(in_background: bool) -> tuple[str, ...]:
    nice = shutil.which("nice") if in_background else None
    return (nice, "-n", "10") if nice else ()


def _count(report: Path) -> tuple[int, int]:
    """Passed, and everything else: failures, errors, and what was left out."""
    passed = failed = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        bad = sum(int(suite.get(name, 0)) for name in ("failures", "errors", "skipped"))
        failed += bad
        passed += max(0, int(suite.get("tests", 0)) - bad)
    return passed, failed


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
