"""The overlay on a ``Screen``, without the rest of the app, and the person before it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.desktop import ROOT, Person
from tests.support.programs import Program, find
from tests.support.waiting import wait_until

HOTKEY = "ctrl+shift+2"


class Overlay:
    """``tests.support.selector_program`` on the person's screen; made by ``open_overlay``."""

    def __init__(self, person: Person, program: Program) -> None:
        self.person, self._program = person, program

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the program has said of that kind."""
        lines = [line for line in self._program.output().splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def wait(self, kind: str, count: int) -> dict[str, Any]:
        """The `count`-th event of its kind."""
        return wait_until(lambda: self.events(kind)[count - 1 : count], f"{kind}; {self._program.output()}")[0]

    def open(self) -> None:
        """Press the hotkey, and wait until the overlay stands there."""
        count = len(self.events("painted")) + 1
        self.person.press(HOTKEY)
        self.wait("painted", count)

    def answer(self) -> tuple[int, int, int, int] | None:
        """What the person has chosen since."""
        region = self.wait("answered", len(self.events("painted")))["region"]
        return tuple(region) if region else None

    def do(self, *words: str) -> None:
        """Several actions at once, as xdotool has them."""
        subprocess.run([find("xdotool"), *words], env=self.person.screen.env, check=True, timeout=10)


@contextmanager
def open_overlay(person: Person, **environ: str) -> Iterator[Overlay]:
    """The program, ready for its hotkey."""
    command = [sys.executable, "-m", "tests.support.selector_program"]
    program = Program(command, {**person.screen.env, **environ}, cwd=ROOT)
    try:
        opened = Overlay(person, program)
        opened.wait("ready", 1)
        yield opened
    finally:
        program.end()
