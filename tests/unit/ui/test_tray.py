"""The tray: what its icon says, what its menu offers, and that nothing moves while it is open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from seedshot_desktop.seed.messages import ServerState
from seedshot_desktop.ui import icons
from seedshot_desktop.ui.book import Overview
from seedshot_desktop.ui.tray import Tray, icon_state
from seedshot_desktop.ui.tray_menu import TrayMenu
from tests.support.qt import Deeds, application, child, item, overview, picture, viewer


@pytest.fixture
def deeds() -> Deeds:
    application()
    return Deeds()


@pytest.fixture
def menu(deeds: Deeds) -> Iterator[TrayMenu]:
    menu = TrayMenu(deeds.actions)
    yield menu
    menu.close()
    menu.deleteLater()


def lines(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.isVisible() and not action.isSeparator()]


def line(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def submenu(menu: TrayMenu, share: str) -> QMenu:
    found = menu.share_menu(share)
    assert found is not None
    return found


WATCHED = overview(item(viewers=(viewer(),)))
AWAY = overview(item(viewers=(viewer(),)), problem="The server does not answer.", server=ServerState.OFFLINE)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (Overview(), "idle"),
        (overview(item()), "idle"),
        (WATCHED, "watched"),
        (AWAY, "away"),
        (overview(server=ServerState.OFFLINE), "away"),
    ],
)
def test_the_icon_says_how_things_stand(seen: Overview, state: str) -> None:
    assert icon_state(seen) == state


def test_the_tray_shows_state_and_tooltip(deeds: Deeds) -> None:
    tray = Tray(deeds.actions)
    assert (tray.state, tray.tooltip) == ("idle", "Seedshot: nothing is shared")
    tray.draw(WATCHED)
    assert (tray.state, tray.tooltip) == ("watched", "Seedshot: 1 share, 1 is looking")
    tray.draw(AWAY)
    assert (tray.state, tray.tooltip.splitlines()[1]) == ("away", "The server does not answer.")
    tray.close()


def test_the_icon_is_only_touched_when_its_state_changes(deeds: Deeds, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    real = icons.tray_icon

    def draw(name: str) -> QIcon:
        drawn.append(name)
        return real(name)

    monkeypatch.setattr(icons, "tray_icon", draw)
    tray = Tray(deeds.actions)
    for seen in (overview(), WATCHED, WATCHED, overview(item(viewers=(viewer(held=7),))), overview()):
        tray.draw(seen)
    assert drawn == ["tray-idle", "tray-watched", "tray-idle"]
    tray.close()


def test_a_left_click_captures_and_a_middle_click_opens_the_window(deeds: Deeds) -> None:
    tray = Tray(deeds.actions)
    icon = child(tray, QSystemTrayIcon)
    reason = QSystemTrayIcon.ActivationReason
    for click in (reason.Trigger, reason.MiddleClick, reason.Context, reason.DoubleClick):
        icon.activated.emit(click)
    icon.messageClicked.emit()
    assert deeds.done == [("capture", "region"), ("show_shares",), ("show_shares",)]
    tray.close()


def test_an_idle_menu(menu: TrayMenu, deeds: Deeds) -> None:
    menu.set_hotkey("Ctrl+Shift+2")
    assert lines(menu) == [
        "Capture region",
        "Capture screen",
        "Share files…",
        "Nothing is shared",
        "Revoke all",
        "Shares…",
        "Settings…",
        "Quit",
    ]
    assert not line(menu, "Revoke all").isEnabled()
    assert line(menu, "Capture region").shortcut().toString() == "Ctrl+Shift+2"
    for text in ("Capture region", "Capture screen", "Share files…", "Shares…", "Settings…", "Quit"):
        line(menu, text).trigger()
    assert [deed[0] for deed in deeds.done] == [
        "capture",
        "capture",
        "choose_files",
        "show_shares",
        "show_settings",
        "quit",
    ]


def test_live_shares_stand_in_the_menu_newest_first(menu: TrayMenu, deeds: Deeds) -> None:
    menu.draw(overview(item("share-bbbbbbbb", label="R&D", viewers=(viewer(),), thumbnail=picture()), item()))
    assert lines(menu)[3:5] == ["R&&D  (1 is looking)", "Screenshot 14:03  (nobody is looking)"]
    assert "Nothing is shared" not in lines(menu)
    share = submenu(menu, "share-bbbbbbbb")
    assert not share.icon().isNull()
    for text in ("Copy link", "Open in browser", "Limits…", "Revoke"):
        line(share, text).trigger()
    line(menu, "Revoke all").trigger()
    assert deeds.done == [
        ("copy_link", "share-bbbbbbbb"),
        ("open_link", "share-bbbbbbbb"),
        ("change_limits", "share-bbbbbbbb"),
        ("revoke", "share-bbbbbbbb"),
        ("revoke_all",),
    ]


def test_lines_stay_the_same_objects_while_numbers_change(menu: TrayMenu) -> None:
    menu.draw(overview(item()))
    before = submenu(menu, "share-aaaaaaaa")
    changes: list[str] = []
    before.menuAction().changed.connect(lambda: changes.append(before.menuAction().text()))
    menu.draw(overview(item()))
    assert changes == []
    menu.draw(WATCHED)
    assert submenu(menu, "share-aaaaaaaa") is before
    assert changes == ["Screenshot 14:03  (1 is looking)"]


def test_an_open_menu_keeps_its_lines_until_it_closes(menu: TrayMenu) -> None:
    menu.draw(overview(item("share-aaaaaaaa", label="first")))
    menu.popup(menu.pos())
    before = lines(menu)
    menu.draw(overview(item("share-bbbbbbbb", label="second")))
    assert lines(menu) == before
    assert not submenu(menu, "share-aaaaaaaa").menuAction().isEnabled()
    menu.close()
    QApplication.processEvents()
    assert lines(menu)[3] == "second  (nobody is looking)"
    assert menu.share_menu("share-aaaaaaaa") is None


def test_many_shares_end_in_a_line_that_opens_the_window(menu: TrayMenu, deeds: Deeds) -> None:
    menu.draw(overview(*(item(f"share-{number:08}", label=f"{number}") for number in range(11))))
    assert [text.split("  ")[0] for text in lines(menu)[3:12]] == [*(str(number) for number in range(8)), "3 more…"]
    line(menu, "3 more…").trigger()
    assert deeds.done == [("show_shares",)]


def test_the_menu_says_that_the_server_is_away(menu: TrayMenu) -> None:
    menu.draw(AWAY)
    assert lines(menu)[0].startswith("Server away")
    menu.draw(overview())
    assert lines(menu)[0] == "Capture region"
