"""Settings in force: the hotkey that is held, what the engine is told, and what a failed change leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seedshot_desktop import hotkey, settings
from seedshot_desktop.errors import HotkeyError, HotkeyTakenError, SettingsError
from seedshot_desktop.hotkey import Combo, parse_combo
from seedshot_desktop.preferences import Preferences
from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.settings import Settings


class Held:
    """A combination that is held."""

    def __init__(self, desk: Desk, combo: Combo) -> None:
        self.desk, self.combo = desk, combo
        desk.held.append(str(combo))

    def close(self) -> None:
        if str(self.combo) in self.desk.held:
            self.desk.held.remove(str(self.combo))


class Desk:
    """A desktop on which some combinations are taken, and all that preferences say."""

    def __init__(self) -> None:
        self.taken = {"Ctrl+F5"}
        self.held: list[str] = []
        self.lose: Callable[[HotkeyError], None] = lambda _error: None
        self.hotkeys: list[str] = []
        self.options: list[EngineOptions] = []
        self.told: list[str] = []

    def open(self, combo: Combo, _press: Callable[[], None], lost: Callable[[HotkeyError], None]) -> Held:
        if str(combo) in self.taken:
            raise HotkeyTakenError(f"{combo} is taken.")
        self.lose = lost
        return Held(self, combo)

    def preferences(self) -> Preferences:
        return Preferences(
            on_press=lambda: None,
            on_hotkey=self.hotkeys.append,
            on_options=self.options.append,
            tell=self.told.append,
        )


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setenv("SEEDSHOT_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(hotkey, "open_hotkey", desk.open)
    return desk


def test_the_hotkey_of_the_settings_is_held_until_the_end(desk: Desk) -> None:
    preferences = desk.preferences()
    preferences.hold()
    assert (desk.held, desk.hotkeys) == (["Ctrl+Shift+2"], ["Ctrl+Shift+2"])
    preferences.close()
    preferences.close()
    assert desk.held == []


def test_a_hotkey_that_is_taken_is_told_and_none_is_shown(desk: Desk) -> None:
    settings.save(Settings(hotkey="Ctrl+F5"))
    desk.preferences().hold()
    assert (desk.held, desk.hotkeys, desk.told) == ([], [""], ["Ctrl+F5 is taken."])


def test_another_hotkey_takes_the_place_of_the_old_in_its_canonical_form(desk: Desk) -> None:
    preferences = desk.preferences()
    preferences.hold()
    assert preferences.change({"hotkey": "shift+ctrl+k"}).hotkey == "Ctrl+Shift+K"
    assert desk.held == ["Ctrl+Shift+K"]
    assert settings.load().hotkey == "Ctrl+Shift+K"


@pytest.mark.parametrize("wanted", ["Ctrl+F5", "K", "nonsense+"])
def test_a_hotkey_that_cannot_be_had_leaves_the_old_one(desk: Desk, wanted: str) -> None:
    preferences = desk.preferences()
    preferences.hold()
    with pytest.raises(HotkeyError):
        preferences.change({"hotkey": wanted})
    assert (desk.held, preferences.settings.hotkey) == (["Ctrl+Shift+2"], "Ctrl+Shift+2")


def test_settings_that_cannot_be_saved_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_settings: Settings) -> None:
        raise SettingsError("The disk is full.")

    preferences = desk.preferences()
    preferences.hold()
    monkeypatch.setattr(settings, "save", full)
    with pytest.raises(SettingsError):
        preferences.change({"hotkey": "Ctrl+K", "listen_port": 1})
    assert desk.held == ["Ctrl+Shift+2"]
    assert (preferences.settings, desk.options) == (Settings(), [])


def test_the_engine_is_told_only_of_what_concerns_it(desk: Desk) -> None:
    preferences = desk.preferences()
    preferences.change({"notifications": False, "expires_s": 60})
    assert desk.options == []
    preferences.change({"max_viewers": 7})
    assert [options.max_viewers for options in desk.options] == [7]
    assert preferences.options == desk.options[0]


def test_a_file_that_somebody_else_changed_is_taken_up(desk: Desk) -> None:
    preferences = desk.preferences()
    preferences.hold()
    settings.save(Settings(hotkey="Ctrl+K", listen_port=9))
    preferences.reload()
    assert desk.held == ["Ctrl+K"]
    assert preferences.settings.listen_port == 9
    assert len(desk.options) == 1


def test_a_lost_hotkey_is_told_and_can_be_taken_again(desk: Desk) -> None:
    preferences = desk.preferences()
    preferences.hold()
    desk.held.clear()
    desk.lose(HotkeyError("The display went away."))
    assert (desk.hotkeys[-1], desk.told) == ("", ["The display went away."])
    preferences.change({"hotkey": "Ctrl+Shift+2"})
    assert desk.held == [str(parse_combo("Ctrl+Shift+2"))]


def test_mistakes_in_the_file_are_kept_for_the_person(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('listen_port = "many"\nmax_views = 3\n')
    preferences = desk.preferences()
    assert preferences.settings.max_views == 3
    assert any("listen_port" in problem for problem in preferences.problems)
