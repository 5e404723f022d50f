"""``python -m tests.benchmarks app``: the tray app's start, its memory, its idling, and the choice to the clipboard.

On a desktop of its own, 3840 x 2160, with a window manager and a tray. The
start is measured from the process's first instruction to the line that says the
hotkey is held. The choice is made by xdotool, and the clock starts before
xdotool does; it stops when another program is told of the new clipboard.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PySide6.QtWidgets import QApplication

from seedshot_desktop.seed.messages import ViewerState
from seedshot_desktop.ui.shares_window import SharesWindow
from tests.support.app import App, prepare_settings, running_app
from tests.support.command_line import ROOT
from tests.support.crowded_app import VIEWERS, Seen, watch_crowd
from tests.support.desktop import Person
from tests.support.measuring import Row
from tests.support.programs import find
from tests.support.qt import Deeds, application, item, overview, picture, shown, viewer
from tests.support.screen import open_screen
from tests.support.waiting import until

STARTS, CHOICES, STATUSES = 7, 15, 100
IDLE_S = 10.0
_START = "import sys; from seedshot_desktop.cli import main; raise SystemExit(main([]))"
_READY = "ready for the hotkey"
_WATCHER = """
import time
from PySide6.QtGui import QGuiApplication
application = QGuiApplication(["watcher"])
application.clipboard().dataChanged.connect(lambda: print(time.monotonic(), flush=True))
print("watching", flush=True)
application.exec()
"""
_FLAMESHOT = "Flameshot 12.1: 31 MB RSS, without an engine"


def rows() -> Iterator[Row]:
    """Everything, one after the other: two at once would measure each other."""
    with open_screen(width=3840, height=2160) as screen:
        person = Person(screen)
        yield Row("start to hotkey held", [start(person) for _ in range(STARTS)], "ms", limit=1000.0)
        yield from asyncio.run(running(person))
        yield from crowd_rows(asyncio.run(watch_crowd(person)))
    yield Row("apply a status with 50 viewers", list(statuses(50)), "ms", limit=8.0)
    yield Row("apply and paint it", list(statuses(50, paint=True)), "ms")


def crowd_rows(seen: Seen) -> Iterator[Row]:
    """What fifty real viewers, who receive at once, do to the shares window and to the memory."""
    who = f"{VIEWERS} viewers receive, the window shows them"
    yield Row(f"{who}: GUI thread at work between two beats of 10 ms", seen.busy_ms, "ms", limit=4.0)
    yield Row(f"{who}: its longest piece of work", [max(seen.busy_ms)], "ms", limit=50.0)
    yield Row(f"{who}: beats come late by", seen.late_ms, "ms", limit=4.0)
    yield Row(f"{who}: all listed after", [seen.let_in_s], "s")
    for name, (before, after) in (("app", seen.app_mb), ("engine", seen.engine_mb)):
        yield Row(f"{who}: memory of the {name}, RSS", [after], "MB", peer=f"{before:.0f} MB before they came")


def start(person: Person) -> float:
    """Milliseconds from the process's start to the hotkey."""
    env = {**prepare_settings(person), "SEEDSHOT_LOG": "info"}
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _START], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert any(_READY in line for line in process.stderr), "it ended before it was ready"
        return (time.perf_counter() - begun) * 1000
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def running(person: Person) -> list[Row]:
    """What is measured on an app that runs."""
    async with running_app(person) as app:
        await _settled(app)
        found = [*_memory(app, "idle"), *await idle(app)]
        found.append(Row("choice to clipboard, 4K", [milliseconds async for milliseconds in choices(app)], "ms", 100.0))
        await _settled(app)
        return [*found, *_memory(app, f"with {CHOICES} captures shared")]


async def _settled(app: App) -> None:
    """Until neither process uses any processor time for a second."""

    async def quiet() -> bool:
        before = _processor_ms(app)
        await asyncio.sleep(1.0)
        return _processor_ms(app) == before

    await until(quiet, "an idle app", 30.0)


def _memory(app: App, when: str) -> Iterator[Row]:
    for name, process in (("app", app.program.pid), ("engine", app.engine())):
        resident, own = (_kilobytes(process, word) / 1000 for word in ("Rss", "Pss"))
        yield Row(f"memory of the {name}, {when}: RSS", [resident], "MB", peer=_FLAMESHOT if name == "app" else "")
        yield Row(f"memory of the {name}, {when}: its share (PSS)", [own], "MB")


def _kilobytes(process: int, word: str) -> int:
    found = re.search(rf"^{word}:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


async def idle(app: App) -> list[Row]:
    """Processor time and wake-ups while nothing happens."""
    before, woken = _processor_ms(app), _wake_ups(app)
    await asyncio.sleep(IDLE_S)
    used, wakes = _processor_ms(app) - before, _wake_ups(app) - woken
    return [
        Row("processor time while idle", [used / IDLE_S], "ms/s", limit=2.0),
        Row("wake-ups while idle, app and engine", [wakes / IDLE_S], "/s", limit=5.0),
    ]


def _processor_ms(app: App) -> float:
    ticks = 0
    for process in (app.program.pid, app.engine()):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])  # utime and stime, fields 14 and 15 of proc(5)
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _wake_ups(app: App) -> int:
    total = 0
    for process in (app.program.pid, app.engine()):
        for status in Path(f"/proc/{process}/task").glob("*/status"):
            total += sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", status.read_text())))
    return total


async def choices(app: App) -> AsyncIterator[float]:
    """Milliseconds from letting go of the button to another program's word of the new clipboard."""
    with _clipboard_watch(app.person) as watch:
        for _ in range(CHOICES):
            await app.press_hotkey()
            await app.overlay()
            _xdotool(app, "mousemove", "400", "300", "mousedown", "1", "mousemove", "1900", "1100")
            _xdotool(app, "mousemove", "2400", "1500")
            begun = time.monotonic()
            _xdotool(app, "mouseup", "1")
            yield (float(watch.readline()) - begun) * 1000
            await app.no_overlay()


def _xdotool(app: App, *words: str) -> None:
    subprocess.run([find("xdotool"), *words], env=app.person.screen.env, check=True)


@contextmanager
def _clipboard_watch(person: Person) -> Iterator[IO[str]]:
    """A program that prints the time of each change of the clipboard."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCHER], env=person.screen.env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        yield process.stdout
    finally:
        process.terminate()
        process.communicate(timeout=10)


def statuses(viewers: int, *, paint: bool = False) -> Iterator[float]:
    """Milliseconds that the shares window takes for a status in which every viewer has moved."""
    application()
    receiving = ViewerState.RECEIVING
    with shown(window := SharesWindow(Deeds().actions)):
        thumbnail = picture(640, 400)
        for step in range(STATUSES):
            crowd = tuple(
                viewer(f"v{number}", receiving, held=step * 900 + number, rate=step * 1e3) for number in range(viewers)
            )
            seen = overview(item(viewers=crowd, thumbnail=thumbnail, bytes_sent=step * 10_000))
            begun = time.perf_counter()
            window.draw(seen)
            if paint:
                window.repaint()
                QApplication.processEvents()
            if step:  # the first one builds what the others change
                yield (time.perf_counter() - begun) * 1000
