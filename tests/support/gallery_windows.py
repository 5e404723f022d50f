"""``python -m tests.support.gallery_windows FOLDER NAME``: draws every window of the app into FOLDER, once.

Colours and scale come from the environment; ``tests.support.gallery`` sets them.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageDraw
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QScrollArea, QWidget

from seedshot_desktop.errors import HotkeyTakenError, SettingsError
from seedshot_desktop.seed.messages import EndReason, FileStatus, Limits, ServerState, ViewerState, ViewerStatus
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui import startup
from seedshot_desktop.ui.book import Item, Overview
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.hotkey_field import HotkeyField
from seedshot_desktop.ui.limits_dialog import ExpiryField, LimitsDialog
from seedshot_desktop.ui.qr_dialog import QrDialog
from seedshot_desktop.ui.question import Question
from seedshot_desktop.ui.settings_dialog import SettingsDialog
from seedshot_desktop.ui.share_menu import share_menu
from seedshot_desktop.ui.shares_window import SharesWindow
from seedshot_desktop.ui.small_window import SmallWindow
from seedshot_desktop.ui.toast import Toast
from seedshot_desktop.ui.tray_menu import TrayMenu
from tests.support.qt import Deeds, item, overview, viewer

P = TypeVar("P", bound=QWidget)
NOW = time.time()
AWAY = "The signalling server share.example.org does not answer. Links work again as soon as it is back."
LONG = "Quarterly figures of the northern branch, final version 3 (reviewed by all).pdf"


def main(folder: str, name: str) -> int:
    """Draw them all."""
    startup.application()
    for what, window in _windows():
        window.show()
        window.activateWindow()
        _settle(window)
        window.grab().save(str(Path(folder) / f"{what}-{name}.png"))
        window.hide()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return 0


def _settle(window: QWidget) -> None:
    """Until it is exposed, and everything that it wanted to draw is drawn."""
    end = time.monotonic() + 0.4
    while time.monotonic() < end or not window.isVisible():
        QApplication.processEvents()


def _windows() -> Iterator[tuple[str, QWidget]]:
    yield from _shares()
    yield from _settings()
    yield from _dialogs()
    yield from _small()
    yield from _notes()
    yield from _menus()


def _shares() -> Iterator[tuple[str, QWidget]]:
    states = {
        "empty": Overview(ServerState.ONLINE),
        "several": _several(),
        "crowd": overview(item(label="Screenshot 14:03", viewers=_crowd(50), **_young(90), thumbnail=_thumbnail())),
        "away": overview(*_several().items, problem=AWAY, server=ServerState.OFFLINE),
        "broken": overview(_broken()),
    }
    for name, seen in states.items():
        window = SharesWindow(Deeds().actions)
        window.set_hotkey("Ctrl+Shift+2" if name != "away" else "")
        window.draw(seen)
        yield f"shares-{name}", window
    narrow = SharesWindow(Deeds().actions)
    narrow.draw(_several())
    narrow.resize(narrow.minimumSize())
    yield "shares-narrow", narrow
    nothing = SharesWindow(Deeds().actions)
    nothing.draw(overview(problem=AWAY, server=ServerState.OFFLINE))
    yield "shares-empty-no-hotkey", nothing


def _several() -> Overview:
    """One of each kind."""
    present = (
        viewer("a", ViewerState.RECEIVING, held=61_000, joined_at=NOW - 4),
        viewer("b", ViewerState.RECEIVING, held=3_000, direct=False, rate=1_250_000.0, joined_at=NOW - 2),
        viewer("c", ViewerState.COMPLETE, held=100_000, browser="Chrome 142", system="Android", joined_at=NOW - 75),
        viewer("d", ViewerState.WAITING, held=0, browser="Safari 26", system="iPhone", joined_at=NOW - 1),
    )
    left = (
        viewer("e", ViewerState.LEFT, held=100_000, joined_at=NOW - 500, left_at=NOW - 300),
        viewer("f", ViewerState.LEFT, held=7_000, joined_at=NOW - 900, left_at=NOW - 700, left_reason=EndReason.LOST),
        viewer("g", ViewerState.LEFT, held=0, browser="", system="", joined_at=NOW - 950, left_at=NOW - 940),
    )
    return overview(
        item("1", thumbnail=_thumbnail(), viewers=present, departed=left, views=2, bytes_sent=264_000, **_young(600)),
        item("2", label=LONG, files=(FileStatus(LONG, 48_300_000, "application/pdf"),), **_young(4000)),
        item("3", label="Screenshot 13:20", files=(), preparing=True, **_young(2)),
        item(
            "4",
            label="4 files",
            files=tuple(FileStatus(f"{n}.zip", 3_000_000, "application/zip") for n in range(4)),
            max_views=3,
            views=1,
            expires_at=NOW + 540,
            **_young(60),
        ),
    )


def _broken() -> Item:
    problem = "“notes.txt” has changed since it was shared, so nobody can receive it any more."
    file = FileStatus("notes.txt", 1200, "text/plain", problem)
    return item(label="notes.txt", files=(file,), **_young(86_400 * 3))


def _crowd(count: int) -> tuple[ViewerStatus, ...]:
    return tuple(
        viewer(f"v{n}", ViewerState.RECEIVING, held=1000 + 2000 * n, rate=20_000.0 * n, joined_at=NOW - n)
        for n in range(count)
    )


def _young(seconds: float) -> dict[str, Any]:
    return {"created_at": NOW - seconds}


def _settings() -> Iterator[tuple[str, QWidget]]:
    def refuse(values: Mapping[str, Any]) -> Settings:
        if "hotkey" not in values:
            raise SettingsError("")
        raise HotkeyTakenError("Ctrl+F5 is held by another program. Free it there, or choose another hotkey.")

    def take(values: object) -> Settings:
        return Settings()

    for name, change, settings, problem in (
        ("plain", take, Settings(), ""),
        ("own-server", take, Settings(server_url="http://share.example.org", expires_s=5400, max_views=3), AWAY),
        ("errors", refuse, Settings(), ""),
    ):
        dialog = SettingsDialog(change)
        dialog.show_settings(settings)
        dialog.show_server_problem(problem)
        if name == "errors":
            _spoil(dialog)
        dialog.resize(dialog.width(), 680)
        yield f"settings-{name}", dialog
    whole = SettingsDialog(take)
    whole.show_settings(Settings(turn_urls=("turn:relay.example.org:3478",), turn_username="ada"))
    page = _part(whole, QScrollArea).widget()
    assert page is not None
    whole.resize(whole.width(), page.sizeHint().height() + 70)
    yield "settings-whole", whole


def _spoil(dialog: SettingsDialog) -> None:
    """What cannot be used, in every field that can be wrong."""
    for key in ("server_url", "advertised_host", "stun_urls", "turn_urls"):
        field = dialog.field(key)
        assert isinstance(field, QLineEdit)
        field.setText("no such thing")
        field.editingFinished.emit()
    hotkey = _part(dialog, HotkeyField)
    hotkey.set_combo("Ctrl+F5")
    hotkey.recorded.emit("Ctrl+F5")
    expires = _part(dialog, ExpiryField)
    expires.setEditText("soon")
    _part(expires, QLineEdit).editingFinished.emit()


def _part(whole: QWidget, kind: type[P]) -> P:
    """The first widget of that kind inside `whole`."""
    found = whole.findChild(kind)
    assert found is not None
    return found


def _dialogs() -> Iterator[tuple[str, QWidget]]:
    yield "limits-new", LimitsDialog("3 files", "a.txt, b.txt, c.txt", Limits(), None)
    lived = item(label=LONG, max_views=7, views=2, expires_at=NOW + 5000, **_young(60))
    yield "limits-live", LimitsDialog("Screenshot 14:03", "When this share ends by itself.", Limits(max_views=7), lived)
    wrong = LimitsDialog("Screenshot 14:03", "When this share ends by itself.", Limits(), None)
    _part(wrong, ExpiryField).setEditText("soon")
    wrong.accept()
    yield "limits-error", wrong
    yield "qr", QrDialog("Screenshot 14:03", "http://192.0.2.7:21880/#" + "AQrn48LKwblnRvXETbYFiKFtavuwH3ZA3i8XO61q")
    yield "question", Question("Quit Seedshot?", "3 links stop working at once.", "Quit")


def _small() -> Iterator[tuple[str, QWidget]]:
    for name, seen in {
        "empty": Overview(ServerState.ONLINE),
        "several": _several(),
        "away": overview(*_several().items[:1], problem=AWAY, server=ServerState.OFFLINE),
    }.items():
        window = SmallWindow(Deeds().actions)
        window.set_hotkey("Ctrl+Shift+2")
        window.draw(seen)
        yield f"small-{name}", window


def _notes() -> Iterator[tuple[str, QWidget]]:
    for name, notice in {
        "copied": Notice("Link copied", "Paste it anywhere. It works until you revoke it or quit.", _thumbnail(), "1"),
        "problem": Notice("Seedshot", "Ctrl+Shift+2 is held by another program. Free it there, or choose another one."),
    }.items():
        toast = Toast(lambda: None)
        toast.tell(notice)
        yield f"toast-{name}", toast


def _menus() -> Iterator[tuple[str, QWidget]]:
    for name, seen in {
        "idle": Overview(ServerState.ONLINE),
        "several": _several(),
        "away": overview(*_several().items, problem=AWAY, server=ServerState.OFFLINE),
    }.items():
        menu = TrayMenu(Deeds().actions)
        menu.set_hotkey("Ctrl+Shift+2")
        menu.draw(seen)
        if name == "several":
            menu.setActiveAction(_share_menu(menu).menuAction())
        yield f"tray-menu-{name}", menu
    menu = TrayMenu(Deeds().actions)
    menu.draw(_several())
    yield "tray-menu-share", _share_menu(menu)
    window = SharesWindow(Deeds().actions)
    yield "share-menu", share_menu(window, Deeds().actions, "1")


def _share_menu(menu: TrayMenu) -> QMenu:
    found = menu.share_menu("1")
    assert found is not None
    return found


def _thumbnail() -> bytes:
    """Something like a screenshot."""
    picture = Image.new("RGB", (640, 400), "#eef1f6")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 640, 44), fill="#33415c")
    pen.rectangle((0, 44, 150, 400), fill="#dbe2ee")
    for row in range(9):
        pen.rectangle((180, 80 + row * 34, 180 + 60 * (3 + row * 5 % 4), 92 + row * 34), fill="#8fa3c4")
    pen.ellipse((470, 210, 600, 340), fill="#22a559")
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
