"""``python -m tests.support.selector_program``: hotkey, capture and overlay, and nothing else of the app.

Each press of Ctrl+Shift+2 asks for a region. Every line of output is a JSON
object: ``{"event": "ready"}``, ``pressed``, ``painted`` (with ``ms`` since the
press), ``answered`` (with ``region``, or null).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import qasync
from PySide6.QtWidgets import QApplication

from seedshot_desktop.capture import Backend, open_backend
from seedshot_desktop.hotkey import DEFAULT_COMBO, open_hotkey, parse_combo
from seedshot_desktop.ui.selector import FrozenScreen, Selector


class Story:
    """What the app does between the press and the region."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._selector = Selector()
        self._selector.warm_up()
        self._selector.painted.connect(self._painted)
        self._pressed_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def press(self) -> None:
        """The hotkey."""
        say("pressed")
        self._pressed_at = time.perf_counter()
        task = asyncio.get_running_loop().create_task(self._ask())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self) -> None:
        frames = await asyncio.get_running_loop().run_in_executor(None, self._backend.grab)
        places = [(frame, frame.monitor) for frame in frames]
        answer = await self._selector.ask(
            [FrozenScreen(m.name, m.x, m.y, m.width, m.height, frame.pixels) for frame, m in places]
        )
        region = [answer.x, answer.y, answer.width, answer.height] if answer else None
        say("answered", region=region)

    def _painted(self) -> None:
        say("painted", ms=round((time.perf_counter() - self._pressed_at) * 1000, 2))


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


async def tell() -> None:
    """Until somebody ends the program."""
    backend = await asyncio.get_running_loop().run_in_executor(None, open_backend)
    story = Story(backend)
    hotkey = open_hotkey(parse_combo(DEFAULT_COMBO), story.press)
    say("ready")
    try:
        await asyncio.Event().wait()
    finally:
        hotkey.close()


def main() -> int:
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    with qasync.QEventLoop(app) as loop:
        loop.run_until_complete(tell())
    return 0


if __name__ == "__main__":
    sys.exit(main())
