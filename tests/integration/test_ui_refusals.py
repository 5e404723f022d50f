"""What cannot be shared is said in a window of its own, before anything is asked, minted or copied."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from seedshot_desktop import settings
from seedshot_desktop.app import App
from seedshot_desktop.commands.inputs import MAX_FILE
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui.limits_dialog import LimitsDialog
from seedshot_desktop.ui.question import Explanation
from seedshot_desktop.ui.startup import Application
from tests.support.qt import Run, application, child, click, qt_loop
from tests.support.waiting import until


class Desk:
    """An app whose engine was not started; `run` runs coroutines on its loop."""

    def __init__(self, run: Run[Any]) -> None:
        self.run = run
        self.app = App(cast(Application, application()))

    def window(self, kind: type[QWidget]) -> QWidget | None:
        found = (widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind))
        return next((widget for widget in found if widget.isVisible()), None)

    async def told(self) -> str:
        """What the window says; it is closed then."""
        window = await until(lambda: self.window(Explanation), "the window that says why")
        text = " ".join(label.text() for label in window.findChildren(QLabel))
        click(child(window, QPushButton))
        await until(lambda: self.window(Explanation) is None, "its end")
        return text


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in ("CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"SEEDSHOT_{name}_DIR", str(tmp_path / name))
        (tmp_path / name).mkdir()
    settings.save(Settings(listen="local", listen_port=0, notifications=False))
    with qt_loop() as run:
        desk = run(_made(run))
        QGuiApplication.clipboard().setText("from before")
        yield desk
        desk.app._faces.close()
        desk.app._network.close()


async def _made(run: Run[Any]) -> Desk:
    return Desk(run)


def sized(path: Path, size: int) -> str:
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as made:
        made.truncate(size)
    return str(path)


@pytest.mark.parametrize("what", ["too large", "too many", "a folder"])
def test_what_no_page_takes_is_said_in_a_window_even_where_notes_are_off(desk: Desk, tmp_path: Path, what: str) -> None:
    match what:
        case "too large":
            paths, words = (
                [sized(tmp_path / "film.mkv", MAX_FILE + 1)],
                "film.mkv is 1.61 GB: pages take files of up to",
            )
        case "too many":
            paths = [sized(tmp_path / f"{number:0100}.png", 1) for number in range(130)]
            words = "These 130 files are too many for one share"
        case _:
            paths, words = [str(tmp_path)], "is a folder"

    async def story() -> None:
        desk.app._actions.share_files(paths)
        told = await desk.told()
        assert words in told
        assert told.startswith("This cannot be shared")
        await asyncio.gather(*desk.app._tasks)

    desk.run(story())
    assert desk.window(LimitsDialog) is None
    assert desk.app._book.overview().items == ()
    assert QGuiApplication.clipboard().text() == "from before"


def test_what_can_be_shared_is_asked_about_at_once(desk: Desk, tmp_path: Path) -> None:
    async def story() -> None:
        desk.app._actions.share_files([sized(tmp_path / "fits.bin", MAX_FILE)])
        dialog = await until(lambda: desk.window(LimitsDialog), "the question for limits")
        assert desk.window(Explanation) is None
        dialog.close()
        await asyncio.gather(*desk.app._tasks)

    desk.run(story())
    assert desk.app._book.overview().items == ()
