"""All that can be seen, without a screen: who shows what, and dialogs that are answered without blocking."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QPushButton, QWidget

from seedshot_desktop.seed.messages import Limits
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.faces import Faces
from seedshot_desktop.ui.limits_dialog import ExpiryField, LimitsDialog
from seedshot_desktop.ui.question import Question
from seedshot_desktop.ui.settings_dialog import SettingsDialog
from seedshot_desktop.ui.shares_window import SharesWindow
from seedshot_desktop.ui.small_window import SmallWindow
from seedshot_desktop.ui.toast import Toast
from seedshot_desktop.ui.tray_watch import TrayWatch
from tests.support.qt import Deeds, Run, child, click, item, overview, press, qt_loop
from tests.support.screen import open_bus
from tests.support.tray_host import tray_host
from tests.support.waiting import until

W = TypeVar("W", bound=QWidget)


class Seen:
    """The faces of an app without a tray, and what is visible of them."""

    def __init__(self, run: Run[Any]) -> None:
        self.run = run
        self.deeds = Deeds()
        self.faces = Faces(self.deeds.actions)

    def window(self, kind: type[W]) -> W | None:
        """The visible window of that kind."""
        found = (widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind))
        return next((widget for widget in found if widget.isVisible()), None)

    def answered(self, question: Coroutine[Any, Any, Any], kind: type[QDialog], answer: Any) -> Any:
        """What comes of `question` when `answer` is done to its dialog."""

        async def story() -> Any:
            asking = asyncio.create_task(question, name="question")
            dialog = await until(lambda: self.window(kind), "the dialog")
            assert not asking.done()
            answer(dialog)
            return await asking

        return self.run(story())


@pytest.fixture
def seen() -> Iterator[Seen]:
    with qt_loop() as run:
        seen = Seen(run)
        yield seen
        seen.faces.close()


def press_button(text: str) -> Any:
    return lambda dialog: click(next(found for found in dialog.findChildren(QPushButton) if found.text() == text))


def test_without_a_tray_the_small_window_is_there(seen: Seen) -> None:
    seen.faces.set_hotkey("Ctrl+Shift+2")
    seen.faces.draw(overview(item()))
    seen.faces.show()
    window = seen.window(SmallWindow)
    assert window is not None
    assert window.list.model().rowCount() == 1
    seen.faces.close()
    assert seen.window(SmallWindow) is None


def test_the_shares_window_is_made_once_and_raised_again(seen: Seen) -> None:
    seen.faces.draw(overview(item()))
    seen.faces.show_shares()
    first = seen.window(SharesWindow)
    assert first is not None
    assert first.list.model().rowCount() == 1
    first.showMinimized()
    seen.faces.show_shares()
    assert seen.window(SharesWindow) is first
    assert not first.isMinimized()


def test_the_settings_window_tells_of_the_server(seen: Seen) -> None:
    seen.faces.draw(overview(problem="The server does not answer."))
    seen.faces.show_settings(Settings(), lambda _values: Settings())
    dialog = seen.window(SettingsDialog)
    assert dialog is not None
    assert not dialog.isModal()


def test_a_note_is_a_toast_where_the_desktop_shows_none(seen: Seen) -> None:
    seen.faces.notify(Notice("Link copied", "Paste it anywhere."))
    toast = seen.window(Toast)
    assert toast is not None
    click(toast)
    assert seen.deeds.done == [("show_shares",)]


def test_a_toast_goes_with_the_share_that_it_is_about(seen: Seen) -> None:
    seen.faces.draw(overview(item("share-aaaaaaaa"), item("share-bbbbbbbb")))
    seen.faces.notify(Notice("Link copied", "Paste it anywhere.", share="share-aaaaaaaa"))
    seen.faces.draw(overview(item("share-aaaaaaaa")))
    assert seen.window(Toast)
    seen.faces.draw(overview())
    assert seen.window(Toast) is None


def test_a_toast_about_something_else_stays_when_a_share_ends(seen: Seen) -> None:
    seen.faces.draw(overview(item("share-aaaaaaaa")))
    seen.faces.notify(Notice("Link copied", "Paste it anywhere.", share="share-aaaaaaaa"))
    seen.faces.notify(Notice("Seedshot", "The server does not answer."))
    seen.faces.draw(overview())
    assert seen.window(Toast)


def test_a_note_is_a_toast_where_it_would_be_the_trays_and_there_is_none(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    seen.faces.show()
    seen.faces.notify(Notice("Link copied", "Paste it anywhere."))
    assert seen.window(Toast)


def test_a_note_that_the_desktop_refuses_late_is_a_toast_unless_its_share_has_ended(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> None:
        async with tray_host(address) as host:
            host.notes.answers.clear()
            seen.faces.notify(Notice("Link copied", "Paste it anywhere.", share="share-aaaaaaaa"))
            seen.faces.notify(Notice("Seedshot", "The server does not answer."))
            await until(lambda: host.notes.shown, "the question")
            seen.faces.draw(overview())
            await until(lambda: toasts, "the toast")
            seen.faces.close()
            seen.faces.notify(Notice("Seedshot", "The server does not answer."))
            host.notes.answers.set()
            await until(lambda: not host.notes.shown, "the end of the late notice")
            await seen.faces.silence()
            assert seen.window(Toast) is None

    def tell(toast: Toast, notice: Notice) -> None:
        toasts.append(notice.title)
        show(toast, notice)

    toasts: list[str] = []
    show = Toast.tell
    monkeypatch.setattr(Toast, "tell", tell)
    monkeypatch.setattr(TrayWatch, "desktop_notifies", lambda _watch: True)
    with open_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        seen.faces.draw(overview(item("share-aaaaaaaa")))
        seen.run(refused())
    assert toasts == ["Seedshot"]


def test_our_windows_step_aside_and_come_back(seen: Seen) -> None:
    seen.faces.show()
    seen.faces.show_shares()
    with seen.faces.aside():
        assert (seen.window(SmallWindow), seen.window(SharesWindow)) == (None, None)
    assert seen.window(SmallWindow)
    assert seen.window(SharesWindow)


def test_limits_of_a_share_are_asked_for(seen: Seen) -> None:
    def answer(dialog: LimitsDialog) -> None:
        child(dialog, ExpiryField).setCurrentIndex(0)
        dialog.accept()

    assert seen.answered(seen.faces.ask_limits(item(max_views=7)), LimitsDialog, answer) == Limits(max_views=7)
    assert seen.answered(seen.faces.ask_limits(item()), LimitsDialog, press_button("Cancel")) is None


def test_limits_of_new_files_begin_with_those_of_settings(seen: Seen) -> None:
    question = seen.faces.ask_share(["/a/one.pdf", "/a/two.pdf"], Limits(expires_s=600.0))
    assert seen.answered(question, LimitsDialog, press_button("Share")) == Limits(expires_s=600.0)


def test_files_are_asked_for(seen: Seen) -> None:
    assert seen.answered(seen.faces.ask_files(), QFileDialog, lambda dialog: dialog.reject()) == []


@pytest.mark.parametrize(("button", "sure"), [("Quit", True), ("Cancel", False)])
def test_quitting_with_live_shares_is_asked_about(seen: Seen, button: str, sure: bool) -> None:
    assert seen.answered(seen.faces.confirm_quit(2), Question, press_button(button)) is sure


def test_a_hasty_enter_does_not_quit(seen: Seen) -> None:
    question = seen.faces.confirm_quit(1)
    assert seen.answered(question, Question, lambda dialog: press(dialog, Qt.Key.Key_Return)) is False
