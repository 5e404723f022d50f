"""Windows without a screen: the one application object, Qt's loop with coroutines, shares to draw, deeds to watch."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import qasync
from PySide6.QtCore import QBuffer, QByteArray, QEvent, QLocale, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from seedshot_desktop.seed.messages import (
    EndReason,
    EngineStatus,
    FileStatus,
    ServerState,
    ShareStatus,
    ViewerState,
    ViewerStatus,
)
from seedshot_desktop.ui import garbage
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Item, Overview
from tests.support.waiting import DEADLINE_S

T = TypeVar("T")
Q = TypeVar("Q", bound=QObject)
Run = Callable[[Coroutine[Any, Any, T]], T]

BASE_URL = "http://192.0.2.7:21880"


def application() -> QApplication:
    """The one application of this process, without a screen; garbage is collected as in the app."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    running = QApplication.instance()
    made = running if isinstance(running, QApplication) else QApplication([])
    made.setQuitOnLastWindowClosed(False)
    garbage.collect_here()
    return made


@contextmanager
def qt_loop() -> Iterator[Run[Any]]:
    """A function that runs a coroutine on Qt's loop to its end; everything that it leaves running is cancelled."""
    loop = qasync.QEventLoop(application())

    async def bounded(work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(3 * DEADLINE_S):
            return await work

    def run(work: Coroutine[Any, Any, T]) -> T:
        result: T = loop.run_until_complete(bounded(work))
        return result

    async def cancel_the_rest() -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    try:
        yield run
    finally:
        run(cancel_the_rest())
        loop.close()
        garbage.collect_due()


class Deeds:
    """Every deed that a window asked for, as (name, arguments)."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        names = [field.name for field in dataclasses.fields(Actions)]
        self.actions = Actions(**{name: self._recorder(name) for name in names})

    def _recorder(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.done.append((name, *arguments))


def viewer(name: str = "v1", state: ViewerState = ViewerState.RECEIVING, **fields: Any) -> ViewerStatus:
    """A visit that began at second 1000."""
    values: dict[str, Any] = {
        "browser": "Firefox 153",
        "system": "Windows",
        "direct": True,
        "held": 50_000,
        "total": 100_000,
        "rate": 25_000.0,
        "joined_at": 1000.0,
    }
    if state is ViewerState.LEFT:
        values |= {"left_at": 1010.0, "left_reason": EndReason.CLOSED}
    return ViewerStatus(viewer=name, state=state, **(values | fields))


def status(share: str = "share-aaaaaaaa", **fields: Any) -> ShareStatus:
    """A share of one picture that began at second 1000."""
    values: dict[str, Any] = {
        "label": "Screenshot 14:03",
        "created_at": 1000.0,
        "files": (FileStatus("Screenshot.webp", 100_000, "image/webp"),),
        "preparing": False,
        "expires_at": None,
        "max_views": None,
        "views": 0,
        "bytes_sent": 0,
        "viewers": (),
        "departed": (),
    }
    return ShareStatus(share=share, **(values | fields))


def item(share: str = "share-aaaaaaaa", *, thumbnail: bytes = b"", **fields: Any) -> Item:
    """A share as it is drawn."""
    return Item(status(share, **fields), f"{BASE_URL}/#{share}", thumbnail)


def overview(*items: Item, problem: str = "", server: ServerState = ServerState.ONLINE) -> Overview:
    """All that there is to draw."""
    return Overview(server, problem, items)


def engine_status(*shares: ShareStatus, base_url: str = BASE_URL) -> EngineStatus:
    """What an engine whose server answers says."""
    return EngineStatus(ServerState.ONLINE, base_url, "", shares)


def picture(width: int = 320, height: int = 200, colour: str = "#3366cc") -> bytes:
    """A PNG of one colour."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    buffer = QBuffer()
    assert QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def child(parent: QObject, kind: type[Q]) -> Q:
    """The one object of that kind inside `parent`."""
    found = parent.findChild(kind)
    assert found is not None, f"there is no {kind.__name__}"
    return found


@contextmanager
def shown(window: QWidget) -> Iterator[None]:
    """`window` on the screen that is not there, laid out."""
    window.show()
    QApplication.processEvents()
    try:
        yield
    finally:
        window.hide()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        garbage.collect_due()


def press(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """One key, pressed and let go."""
    QTest.keyClick(widget, key, modifiers)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """The left button, in the middle or at `place`."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place or widget.rect().center())


def key_event(
    key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, *, code: int = 0
) -> QKeyEvent:
    """A key as an X server reports it: `code` is the key's own number, whatever is printed on it."""
    return QKeyEvent(QEvent.Type.KeyPress, key, modifiers, code, 0, 0)
