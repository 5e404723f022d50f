"""The settings: every change is checked, takes effect at once, or says what is wrong under its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QSpinBox

from seedshot_desktop import settings as settings_module
from seedshot_desktop.errors import HotkeyTakenError
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui.hotkey_field import HotkeyField
from seedshot_desktop.ui.settings_dialog import SettingsDialog
from tests.support.qt import application, click, press, shown

TAKEN = "Another program holds F5. Choose another combination, or free it there."


class Changes:
    """Settings that change as the app changes them; F5 is taken."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.made: list[dict[str, Any]] = []

    def __call__(self, values: Mapping[str, Any]) -> Settings:
        if values.get("hotkey") == "F5":
            raise HotkeyTakenError(TAKEN)
        self.settings = settings_module.change(self.settings, values)
        self.made.append(dict(values))
        return self.settings


@pytest.fixture
def changes() -> Changes:
    application()
    return Changes()


@pytest.fixture
def dialog(changes: Changes) -> Iterator[SettingsDialog]:
    dialog = SettingsDialog(changes)
    dialog.show_settings(changes.settings)
    with shown(dialog):
        yield dialog


def type_into(field: QLineEdit, text: str) -> None:
    field.setText(text)
    press(field, Qt.Key.Key_Return)


def line(dialog: SettingsDialog, key: str) -> QLineEdit:
    field = dialog.field(key)
    assert isinstance(field, QLineEdit)
    return field


def test_filling_the_form_changes_nothing(dialog: SettingsDialog, changes: Changes) -> None:
    dialog.show_settings(Settings(server_url="https://seedshot.example", expires_s=5400, max_views=3, listen="local"))
    assert changes.made == []
    assert line(dialog, "server_url").text() == "https://seedshot.example"
    expires = dialog.field("expires_s")
    assert isinstance(expires, QComboBox)
    assert expires.currentText() == "1h30m"


def test_every_kind_of_field_changes_its_setting(dialog: SettingsDialog, changes: Changes) -> None:
    type_into(line(dialog, "server_url"), " https://seedshot.example ")
    listen, port, notes = dialog.field("listen"), dialog.field("listen_port"), dialog.field("notifications")
    assert isinstance(listen, QComboBox)
    assert isinstance(port, QSpinBox)
    assert isinstance(notes, QCheckBox)
    listen.setCurrentIndex(1)
    port.setValue(8443)
    notes.click()
    type_into(line(dialog, "stun_urls"), "stun:a:3478, stun:b:3478")
    assert changes.made == [
        {"server_url": "https://seedshot.example"},
        {"listen": "local"},
        {"listen_port": 8443},
        {"notifications": False},
        {"stun_urls": ("stun:a:3478", "stun:b:3478")},
    ]


def test_both_upload_limits_are_saved(dialog: SettingsDialog, changes: Changes, tmp_path: Path) -> None:
    for key, value in (("upload_limit_kib", 2048), ("share_upload_limit_kib", 512)):
        field = dialog.field(key)
        assert isinstance(field, QSpinBox)
        field.setValue(value)
    assert changes.made == [{"upload_limit_kib": 2048}, {"share_upload_limit_kib": 512}]
    settings_module.save(changes.settings, tmp_path / "settings.toml")
    saved = settings_module.engine_options(settings_module.load(tmp_path / "settings.toml"))
    assert (saved.upload_limit, saved.share_upload_limit) == (2048 * 1024, 512 * 1024)


def test_limits_are_typed_as_people_say_them(dialog: SettingsDialog, changes: Changes) -> None:
    for key, text in (("expires_s", "90s"), ("max_views", "7")):
        box = dialog.field(key)
        assert isinstance(box, QComboBox)
        edit = box.lineEdit()
        assert edit is not None
        type_into(edit, text)
    assert changes.made == [{"expires_s": 90}, {"max_views": 7}]


def test_what_cannot_be_used_is_said_under_its_field_and_changes_nothing(
    dialog: SettingsDialog, changes: Changes
) -> None:
    type_into(line(dialog, "server_url"), "seedshot")
    assert "https://seedshot.example" in dialog.error("server_url")
    assert dialog.field("server_url").property("invalid") is True
    expires = dialog.field("expires_s")
    assert isinstance(expires, QComboBox)
    edit = expires.lineEdit()
    assert edit is not None
    type_into(edit, "soon")
    assert "10m" in dialog.error("expires_s")
    assert changes.made == []
    type_into(line(dialog, "server_url"), "")
    assert dialog.error("server_url") == ""
    assert dialog.field("server_url").property("invalid") is False


def test_a_hotkey_that_is_taken_says_so(dialog: SettingsDialog, changes: Changes) -> None:
    field = dialog.field("hotkey")
    assert isinstance(field, HotkeyField)
    click(field)
    press(field, Qt.Key.Key_F5)
    assert dialog.error("hotkey") == TAKEN
    click(field)
    press(field, Qt.Key.Key_F6)
    assert (dialog.error("hotkey"), changes.made) == ("", [{"hotkey": "F6"}])


def test_what_belongs_to_the_built_in_server_rests_with_another_one(dialog: SettingsDialog) -> None:
    assert dialog.field("listen_port").isEnabled()
    type_into(line(dialog, "server_url"), "https://seedshot.example")
    assert not any(dialog.field(key).isEnabled() for key in ("listen", "listen_port", "advertised_host"))


def test_defaults_come_back(dialog: SettingsDialog, changes: Changes) -> None:
    changes.settings = Settings(listen_port=1, expires_s=60)
    dialog.show_settings(changes.settings)
    click(next(found for found in dialog.findChildren(QPushButton) if found.text() == "Restore defaults"))
    assert changes.settings == Settings()
    port = dialog.field("listen_port")
    assert isinstance(port, QSpinBox)
    assert port.value() == 21880


def test_every_setting_has_a_field_with_a_name(dialog: SettingsDialog) -> None:
    for key in settings_module.names():
        field = dialog.field(key)
        assert field.accessibleName() or (isinstance(field, QCheckBox) and field.text()), key


def test_a_server_whose_visitors_can_be_overheard_is_taken_with_a_warning(
    dialog: SettingsDialog, changes: Changes
) -> None:
    warned = [dialog.warns_of_listeners]
    for address in ("http://seedshot.example", "https://seedshot.example"):
        type_into(line(dialog, "server_url"), address)
        warned.append(dialog.warns_of_listeners)
        assert dialog.error("server_url") == ""
        assert changes.made[-1] == {"server_url": address}
    assert warned == [False, True, False]
