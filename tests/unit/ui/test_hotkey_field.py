"""The field that records a combination of keys, in words that the hotkey room reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from seedshot_desktop.hotkey import parse_combo
from seedshot_desktop.ui.hotkey_field import HotkeyField, key_name
from tests.support.qt import application, click, key_event, press, shown

CTRL, SHIFT, META, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.MetaModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def field() -> Iterator[HotkeyField]:
    application()
    field = HotkeyField()
    field.set_combo("Ctrl+Shift+2")
    with shown(field):
        yield field


@pytest.fixture
def recorded(field: HotkeyField) -> list[str]:
    heard: list[str] = []
    field.recorded.connect(heard.append)
    return heard


def test_a_click_and_the_next_keys_are_the_new_combination(field: HotkeyField, recorded: list[str]) -> None:
    click(field)
    assert field.text() == ""
    assert "Press the keys" in field.placeholderText()
    QTest.keyPress(field, Qt.Key.Key_Control)
    assert field.text() == "Ctrl+"
    QTest.keyPress(field, Qt.Key.Key_Alt, CTRL)
    assert field.text() == "Ctrl+Alt+"
    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_Alt, CTRL | ALT))
    assert field.text() == "Ctrl+"
    press(field, Qt.Key.Key_S, CTRL | ALT)
    assert (recorded, field.text(), field.combo) == (["Ctrl+Alt+S"], "Ctrl+Alt+S", "Ctrl+Alt+S")


def test_escape_keeps_the_old_one(field: HotkeyField, recorded: list[str]) -> None:
    click(field)
    press(field, Qt.Key.Key_Escape)
    assert (recorded, field.text()) == ([], "Ctrl+Shift+2")


def test_losing_the_focus_keeps_the_old_one(field: HotkeyField, recorded: list[str]) -> None:
    click(field)
    field.clearFocus()
    assert (recorded, field.text()) == ([], "Ctrl+Shift+2")


def test_the_keyboard_alone_can_begin(field: HotkeyField, recorded: list[str]) -> None:
    field.setFocus()
    press(field, Qt.Key.Key_S, CTRL)
    assert recorded == []
    press(field, Qt.Key.Key_Space)
    press(field, Qt.Key.Key_Tab, CTRL)
    assert recorded == ["Ctrl+Tab"]


def test_after_one_combination_keys_are_no_longer_recorded(field: HotkeyField, recorded: list[str]) -> None:
    click(field)
    press(field, Qt.Key.Key_F9)
    press(field, Qt.Key.Key_F10)
    assert recorded == ["F9"]


def test_shortcuts_of_the_window_are_only_keys(field: HotkeyField, recorded: list[str]) -> None:
    click(field)
    press(field, Qt.Key.Key_C, CTRL)
    QApplication.processEvents()
    assert recorded == ["Ctrl+C"]


@pytest.mark.parametrize(
    ("key", "code", "name"),
    [
        (Qt.Key.Key_A, 38, "A"),
        (Qt.Key.Key_7, 16, "7"),
        (Qt.Key.Key_At, 11, "2"),  # Shift+2, US layout
        (Qt.Key.Key_QuoteDbl, 11, "2"),  # Shift+2, German layout
        (Qt.Key.Key_Eacute, 11, "2"),  # 2 without Shift, French layout
        (Qt.Key.Key_Question, 61, "/"),
        (Qt.Key.Key_Print, 107, "Print"),
        (Qt.Key.Key_SysReq, 107, "Print"),
        (Qt.Key.Key_F12, 96, "F12"),
        (Qt.Key.Key_Backtab, 23, "Tab"),
        (Qt.Key.Key_Plus, 35, "Plus"),
        (Qt.Key.Key_Odiaeresis, 0, ""),
        (Qt.Key.Key_VolumeUp, 123, ""),
    ],
)
def test_a_key_is_named_by_where_it_is_whatever_shift_prints(key: Qt.Key, code: int, name: str) -> None:
    assert key_name(key_event(key, SHIFT, code=code)) == name


def test_every_name_can_be_read_by_the_hotkey_room() -> None:
    keys = [key for key in Qt.Key if 0 < key.value < 0x7F or Qt.Key.Key_Escape < key <= Qt.Key.Key_F24]
    names = {key_name(key_event(key)) for key in keys} - {""}
    assert len(names) > 80
    for name in names:
        assert str(parse_combo(f"Ctrl+{name}")) == f"Ctrl+{name}"
