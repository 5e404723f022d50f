"""The shares window: what it shows, what it does, and that it stays put while numbers change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPushButton, QToolButton

from seedshot_desktop.seed.messages import FileStatus, ServerState, ViewerState
from seedshot_desktop.ui.book import Item, Overview
from seedshot_desktop.ui.shares_window import SharesWindow
from tests.support.qt import BASE_URL, Deeds, application, child, click, item, overview, picture, press, shown, viewer


@pytest.fixture
def deeds() -> Deeds:
    application()
    return Deeds()


@pytest.fixture
def window(deeds: Deeds) -> Iterator[SharesWindow]:
    window = SharesWindow(deeds.actions)
    with shown(window):
        yield window


def button(window: SharesWindow, text: str) -> QPushButton:
    return next(found for found in window.findChildren(QPushButton) if found.text() == text and found.isVisible())


def texts(window: SharesWindow) -> list[str]:
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]


def rows(window: SharesWindow) -> list[str]:
    model = window.details.visitors.model()
    return [model.data(model.index(row, 0)) for row in range(model.rowCount())]


def listed(window: SharesWindow) -> list[str]:
    model = window.list.model()
    return [model.data(model.index(row, 0)) for row in range(model.rowCount())]


def two_shares(**fields: object) -> Overview:
    return overview(item("share-bbbbbbbb", label="second", created_at=2000.0), item("share-aaaaaaaa", **fields))  # type: ignore[arg-type]


def test_empty_it_teaches_the_hotkey(window: SharesWindow) -> None:
    window.set_hotkey("Ctrl+Shift+2")
    window.draw(overview())
    QApplication.processEvents()
    seen = texts(window)
    assert [text for text in seen if text in {"Ctrl", "Shift", "2"}] == ["Ctrl", "Shift", "2"]
    assert "Nothing is shared" in seen


def test_empty_and_without_a_hotkey_it_offers_buttons(window: SharesWindow, deeds: Deeds) -> None:
    window.set_hotkey("")
    window.draw(overview())
    click(button(window, "Capture screen"))
    click(button(window, "Share files…"))
    click(button(window, "Capture region"))
    assert deeds.done == [("capture", "screen"), ("choose_files",), ("capture", "region")]


def test_a_share_shows_its_link_its_kind_and_its_totals(window: SharesWindow) -> None:
    window.draw(overview(item(thumbnail=picture(), views=2, bytes_sent=312_000, max_views=5)))
    assert child(window.details, QLineEdit).text() == f"{BASE_URL}/#share-aaaaaaaa"
    assert window.details.facts == "2 of 5 views · 312 kB sent"
    assert any(text.startswith("WEBP, 100 kB") for text in texts(window))


def test_limits_and_their_absence_are_said(window: SharesWindow) -> None:
    window.draw(overview(item()))
    assert "lives until you revoke it or quit" in window.details.facts
    window.draw(overview(item(expires_at=9e9)))
    assert "ends in" in window.details.facts


def test_who_is_looking_and_who_has_left(window: SharesWindow) -> None:
    here = (viewer("v1"), viewer("v2", ViewerState.COMPLETE, held=100_000, browser="Chrome 156", direct=False))
    gone = (viewer("v0", ViewerState.LEFT, held=100_000, system="macOS"),)
    window.draw(overview(item(viewers=here, departed=gone)))
    assert rows(window) == [
        "Looking now (2)",
        "Firefox 153 on Windows, 50 %, 25 kB/s, direct",
        "Chrome 156 on Windows, 100 %, has it all, through a relay",
        "Left (1)",
        "Firefox 153 on macOS, saw it all",
    ]


def test_whoever_is_still_connecting_is_not_listed(window: SharesWindow) -> None:
    window.draw(overview(item(viewers=(viewer(state=ViewerState.CONNECTING),))))
    assert rows(window) == []


def test_nobody_yet(window: SharesWindow) -> None:
    window.draw(overview(item()))
    assert "Nobody has opened the link yet." in texts(window)


def test_every_button_acts_on_the_chosen_share(window: SharesWindow, deeds: Deeds) -> None:
    window.draw(two_shares())
    window.list.choose("share-aaaaaaaa")
    for text in ("Copy link", "Limits…", "Revoke"):
        click(button(window, text))
    opener = next(found for found in window.findChildren(QToolButton) if found.accessibleName() == "Open in browser")
    click(opener)
    share = "share-aaaaaaaa"
    assert deeds.done == [("copy_link", share), ("change_limits", share), ("revoke", share), ("open_link", share)]


def test_revoke_all(window: SharesWindow, deeds: Deeds) -> None:
    window.draw(overview())
    assert not any(found.text() == "Revoke all" and found.isVisible() for found in window.findChildren(QPushButton))
    window.draw(two_shares())
    click(button(window, "Revoke all"))
    assert deeds.done == [("revoke_all",)]


def test_the_keyboard_copies_the_chosen_link(window: SharesWindow, deeds: Deeds) -> None:
    window.draw(two_shares())
    window.activateWindow()
    press(window.list, Qt.Key.Key_Down)
    press(window.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert deeds.done == [("copy_link", "share-aaaaaaaa")]


def test_the_newest_share_is_chosen_until_another_one_is(window: SharesWindow) -> None:
    def chosen() -> str:
        found = window.list.chosen()
        assert found is not None
        return found.status.share

    window.draw(overview(item("share-aaaaaaaa")))
    window.draw(two_shares())
    assert chosen() == "share-bbbbbbbb"
    window.list.choose("share-aaaaaaaa")
    window.draw(overview(item("share-cccccccc", created_at=3000.0), *two_shares().items))
    assert chosen() == "share-aaaaaaaa"


def test_when_the_chosen_share_ends_its_neighbour_is_shown(window: SharesWindow) -> None:
    window.draw(two_shares())
    window.list.choose("share-aaaaaaaa")
    window.draw(overview(two_shares().items[0]))
    found = window.list.chosen()
    assert found is not None
    assert found.status.share == "share-bbbbbbbb"
    window.draw(overview())
    assert child(window.details, QLineEdit).text() == ""


def test_a_viewer_is_sent_away_by_the_cross_and_by_the_keyboard(window: SharesWindow, deeds: Deeds) -> None:
    window.draw(overview(item(viewers=(viewer("v1"), viewer("v2")), departed=(viewer("v0", ViewerState.LEFT),))))
    QApplication.processEvents()
    visitors = window.details.visitors
    row = visitors.visualRect(visitors.model().index(2, 0))
    click(visitors.viewport(), QPoint(row.right() - 22, row.center().y()))
    visitors.setCurrentIndex(visitors.model().index(1, 0))
    press(visitors, Qt.Key.Key_Delete)
    gone = visitors.visualRect(visitors.model().index(4, 0))
    click(visitors.viewport(), QPoint(gone.right() - 22, gone.center().y()))
    press(visitors, Qt.Key.Key_Delete)
    assert deeds.done == [("dismiss", "share-aaaaaaaa", "v2"), ("dismiss", "share-aaaaaaaa", "v1")]


def test_the_chosen_viewer_stays_chosen_while_numbers_change(window: SharesWindow) -> None:
    window.draw(overview(item(viewers=(viewer("v1"), viewer("v2")))))
    visitors = window.details.visitors
    visitors.setCurrentIndex(visitors.model().index(2, 0))
    window.draw(overview(item(viewers=(viewer("v1", held=60_000), viewer("v2", held=70_000), viewer("v3")))))
    assert visitors.chosen() == "v2"
    window.draw(overview(item(viewers=(viewer("v2", held=80_000),), departed=(viewer("v1", ViewerState.LEFT),))))
    assert visitors.chosen() == "v2"


def test_a_problem_is_said_and_goes_away(window: SharesWindow) -> None:
    window.draw(overview(problem="The server does not answer.", server=ServerState.OFFLINE))
    assert window.problem == "The server does not answer."
    window.draw(overview())
    assert window.problem == ""


def test_a_file_that_vanished_is_said_at_its_share(window: SharesWindow) -> None:
    lost = FileStatus("a.pdf", 5, "application/pdf", "a.pdf was moved or deleted.")
    window.draw(overview(item(files=(lost,))))
    assert "a.pdf was moved or deleted." in texts(window)


def test_a_capture_being_encoded_says_so(window: SharesWindow) -> None:
    window.draw(overview(item(preparing=True, files=())))
    assert any(text.startswith("being prepared") for text in texts(window))


def test_files_that_are_dropped_are_shared(window: SharesWindow, deeds: Deeds) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/tmp/a.txt"), QUrl.fromLocalFile("/tmp/b.txt"), QUrl("https://example.org/c")])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, none))
    assert deeds.done == [("share_files", ["/tmp/a.txt", "/tmp/b.txt"])]


def test_text_that_looks_like_markup_stays_text(window: SharesWindow) -> None:
    window.draw(overview(item(label="<b>bold</b><img src=x>")))
    assert "<b>bold</b><img src=x>" in texts(window)
    plain = Qt.TextFormat.PlainText
    assert all(label.textFormat() == plain for label in window.details.findChildren(QLabel) if label.text())


def test_a_hidden_window_draws_nothing_and_catches_up(window: SharesWindow) -> None:
    window.hide()
    window.draw(two_shares())
    assert listed(window) == []
    window.show()
    assert len(listed(window)) == 2


def test_the_qr_code_goes_when_its_share_ends(window: SharesWindow) -> None:
    window.draw(overview(item()))
    opener = next(found for found in window.findChildren(QToolButton) if found.accessibleName() == "Show as QR code")
    click(opener)
    assert any(dialog.isVisible() for dialog in window.findChildren(QDialog))
    window.draw(overview())
    QApplication.processEvents()
    assert not any(dialog.isVisible() for dialog in window.findChildren(QDialog))


def test_everything_that_can_be_pressed_says_what_it_does(window: SharesWindow) -> None:
    window.draw(two_shares())
    pressable = [*window.findChildren(QPushButton), *window.findChildren(QToolButton)]
    assert all(found.accessibleName() or found.text() for found in pressable)
    assert window.list.accessibleName()
    assert window.details.visitors.accessibleName()


def test_fifty_viewers_are_painted(window: SharesWindow) -> None:
    crowd = tuple(viewer(f"v{number}", held=number * 2000) for number in range(50))
    shares: list[Item] = [item(viewers=crowd, thumbnail=picture())]
    window.draw(overview(*shares))
    assert not window.grab().isNull()
    assert len(rows(window)) == 51


def test_as_small_as_it_gets_every_word_has_room(window: SharesWindow) -> None:
    window.draw(overview(item(viewers=(viewer(),), thumbnail=picture())))
    window.resize(1, 1)
    QApplication.processEvents()
    window.resize(window.minimumSize())
    QApplication.processEvents()
    assert window.width() < 700
    buttons = [found for found in window.findChildren(QPushButton) if found.isVisible()]
    assert {"Capture region", "Copy link", "Revoke"} <= {found.text() for found in buttons}
    assert [found.text() for found in buttons if found.width() < found.sizeHint().width()] == []
    labels = [found for found in window.findChildren(QLabel) if found.isVisible() and found.text()]
    short = [found.text() for found in labels if found.height() < found.heightForWidth(found.width())]
    assert short == [], "no line is cut off"
    window.resize(1100, 700)
    QApplication.processEvents()
    assert any(found.pixmap().width() > 100 for found in window.findChildren(QLabel) if found.isVisible())


def test_without_shares_no_button_looks_chosen(window: SharesWindow) -> None:
    window.activateWindow()
    window.draw(two_shares())
    assert window.list.hasFocus()
    window.draw(overview())
    focused = QApplication.focusWidget()
    assert not isinstance(focused, QPushButton | QToolButton)


def test_a_share_that_is_being_prepared_says_so(window: SharesWindow) -> None:
    window.draw(overview(item(preparing=True, files=())))
    assert any("being prepared" in text for text in texts(window))
