"""The window that stands in for a tray, the toast, the QR code."""

from __future__ import annotations

import segno
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.qr_dialog import QrCode
from seedshot_desktop.ui.small_window import SmallWindow
from seedshot_desktop.ui.toast import Toast
from tests.support.qt import BASE_URL, Deeds, application, click, item, overview, picture, press, shown, viewer


def pressable(window: SmallWindow) -> dict[str, QPushButton | QToolButton]:
    found: list[QPushButton | QToolButton] = [*window.findChildren(QPushButton), *window.findChildren(QToolButton)]
    return {button.text() or button.accessibleName(): button for button in found}


def test_the_small_window_does_the_work_of_the_tray() -> None:
    application()
    deeds = Deeds()
    with shown(window := SmallWindow(deeds.actions)):
        window.draw(overview(item("share-bbbbbbbb"), item(viewers=(viewer(),))))
        window.list.choose("share-aaaaaaaa")
        for name in ("Capture region", "Capture screen", "Share files…", "Copy link", "Revoke", "Settings", "Quit"):
            click(pressable(window)[name])
        press(window.list, Qt.Key.Key_Return)
    assert deeds.done == [
        ("capture", "region"),
        ("capture", "screen"),
        ("choose_files",),
        ("copy_link", "share-aaaaaaaa"),
        ("revoke", "share-aaaaaaaa"),
        ("show_settings",),
        ("quit",),
        ("show_shares",),
    ]


def test_without_shares_there_is_nothing_to_copy_or_revoke() -> None:
    application()
    with shown(window := SmallWindow(Deeds().actions)):
        window.draw(overview())
        assert not pressable(window)["Copy link"].isEnabled()
        assert not pressable(window)["Revoke"].isEnabled()


def test_closing_it_means_to_quit_and_leaves_it_open_until_that_is_settled() -> None:
    application()
    deeds = Deeds()
    with shown(window := SmallWindow(deeds.actions)):
        window.close()
        assert window.isVisible()
        assert deeds.done == [("quit",)]
        window.retire()
        assert not window.isVisible()
        assert deeds.done == [("quit",)]


def test_a_toast_says_its_note_and_opens_the_window_when_it_is_clicked() -> None:
    application()
    clicks: list[str] = []
    with shown(toast := Toast(lambda: clicks.append("click"))):
        toast.tell(Notice("Link copied", "Paste it anywhere.", picture()))
        assert toast.isVisible()
        assert toast.accessibleName() == "Link copied. Paste it anywhere."
        assert toast.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
        click(toast)
        assert not toast.isVisible()
    assert clicks == ["click"]


def test_the_qr_code_holds_the_whole_link_in_black_on_white() -> None:
    application()
    link = f"{BASE_URL}/#{'A' * 58}"
    with shown(code := QrCode(link)):
        QApplication.processEvents()
        image = code.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    matrix = [list(row) for row in segno.make(link, error="m", micro=False).matrix]
    module = image.width() // (len(matrix) + 8)

    def dark(x: int, y: int) -> bool:
        return image.pixelColor((x + 4) * module + module // 2, (y + 4) * module + module // 2).lightness() < 128

    assert [[dark(x, y) for x in range(len(matrix))] for y in range(len(matrix))] == [
        [bool(cell) for cell in row] for row in matrix
    ]
    assert image.pixelColor(1, 1).name() == "#ffffff"
