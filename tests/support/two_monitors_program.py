"""``python -m tests.support.two_monitors_program``: the overlay on two monitors of different scale, driven by events.

Qt's offscreen platform has the monitors that a file describes: an ordinary one,
and right of it one with 1.5 physical pixels for a logical one. Prints one JSON
object with the answer to each question.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import qasync

SCREENS = [
    {"name": "left", "x": 0, "y": 0, "width": 1000, "height": 800, "dpr": 1},
    {"name": "right", "x": 1000, "y": 0, "width": 800, "height": 600, "dpr": 1.5},
]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "screens.json"
        path.write_text(json.dumps({"screens": SCREENS}))
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={path}"
        from PySide6.QtWidgets import QApplication

        app = QApplication(sys.argv[:1])
        with qasync.QEventLoop(app) as loop:
            loop.run_until_complete(tell())
    return 0


async def tell() -> None:
    """Each question, and what was answered."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    from seedshot_desktop.ui.selector import FrozenScreen, Selector

    frames = [
        FrozenScreen("left", 0, 0, 1000, 800, bytes(1000 * 800 * 4)),
        FrozenScreen("right", 1000, 0, 1200, 900, bytes(1200 * 900 * 4)),
    ]
    selector = Selector()
    painted = asyncio.Event()
    selector.painted.connect(painted.set)

    async def ask(act: Callable[[], None]) -> list[int] | None:
        painted.clear()
        question = asyncio.create_task(selector.ask(frames), name="question")
        await painted.wait()
        asyncio.get_running_loop().call_soon(act)  # outside of any task: Qt's test events run the event loop themselves
        answer = await question
        return [answer.x, answer.y, answer.width, answer.height] if answer else None

    def drag(on: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        window = next(w for w in selector._windows.values() if w.frozen.name == on)
        button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(window, button, none, QPoint(*start))
        QTest.mouseMove(window, QPoint(*end))
        QTest.mouseRelease(window, button, none, QPoint(*end))

    def key(on: str, code: Qt.Key, at: tuple[int, int]) -> None:
        window = next(w for w in selector._windows.values() if w.frozen.name == on)
        QTest.mouseMove(window, QPoint(*at))
        QTest.keyClick(window, code)

    answers = {
        "left": await ask(lambda: drag("left", (10, 20), (109, 69))),
        "right": await ask(lambda: drag("right", (10, 20), (100, 60))),
        "right corner": await ask(lambda: drag("right", (700, 500), (900, 700))),
        "across": await ask(lambda: drag("left", (900, 100), (1099, 299))),
        "enter left": await ask(lambda: key("left", Qt.Key.Key_Return, (500, 500))),
        "enter right": await ask(lambda: key("right", Qt.Key.Key_Return, (5, 5))),
        "escape": await ask(lambda: key("right", Qt.Key.Key_Escape, (5, 5))),
        "cancelled": await ask(selector.cancel),
        "again": await second_question(selector, frames, painted),
        "without a picture": await selector.ask([]),
    }
    print(json.dumps(answers))


async def second_question(selector: object, frames: object, painted: asyncio.Event) -> str:
    """A question while another is open, and one whose task is cancelled."""
    painted.clear()
    first = asyncio.create_task(selector.ask(frames), name="first")  # type: ignore[attr-defined]
    await painted.wait()
    second = await selector.ask(frames)  # type: ignore[attr-defined]
    first.cancel()
    ended = (await asyncio.gather(first, return_exceptions=True))[0]
    return f"{second}, {type(ended).__name__}, {selector.open}"  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
