"""What the person set, in force: the settings, the hotkey that is held, and how both change while the app runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seedshot_desktop import hotkey, settings
from seedshot_desktop.errors import HotkeyError, SettingsError
from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.settings import Settings


class Preferences:
    """The settings as they are in force; holds the hotkey from ``hold`` to ``close``."""

    def __init__(
        self,
        *,
        on_press: Callable[[], None],
        on_hotkey: Callable[[str], None],
        on_options: Callable[[EngineOptions], None],
        tell: Callable[[str], None],
    ) -> None:
        """`on_hotkey` hears which combination is held, "" for none; `on_options` what the engine has to know."""
        self._on_press, self._on_hotkey, self._on_options, self._tell = on_press, on_hotkey, on_options, tell
        loaded = settings.read()
        self._settings = loaded.settings
        self._held: hotkey.Hotkey | None = None
        self.problems = loaded.problems
        """A sentence for each value in the file that could not be used."""

    @property
    def settings(self) -> Settings:
        """As they are in force."""
        return self._settings

    @property
    def options(self) -> EngineOptions:
        """What the engine has to know of them."""
        return settings.engine_options(self._settings)

    def hold(self) -> None:
        """Hold the hotkey, or tell the person why that cannot be."""
        try:
            self._take(self._settings.hotkey)
        except HotkeyError as error:
            self._on_hotkey("")
            self._tell(str(error))

    def close(self) -> None:
        """Give the hotkey back."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def change(self, values: Mapping[str, Any]) -> Settings:
        """New values for some settings: checked, taken up, saved. Raises SeedshotError, and then nothing changed."""
        wanted = settings.change(self._settings, values)
        if "hotkey" in values:
            wanted = settings.change(wanted, {"hotkey": self._take(wanted.hotkey)})
        try:
            settings.save(wanted)
        except SettingsError:
            if "hotkey" in values:
                self.hold()
            raise
        self._take_up(wanted)
        return wanted

    def reload(self) -> None:
        """Somebody else changed the file. Raises SeedshotError, and then nothing changed."""
        wanted = settings.load()
        if wanted.hotkey != self._settings.hotkey:
            self._take(wanted.hotkey)
        self._take_up(wanted)

    def _take(self, text: str) -> str:
        """Hold `text` in place of what is held; its canonical form. Raises HotkeyError, and the old one stays held."""
        combo = hotkey.parse_combo(text)
        if self._held is None or self._held.combo != combo:
            taken = hotkey.open_hotkey(combo, self._on_press, self._on_lost)
            self.close()
            self._held = taken
        self._on_hotkey(str(combo))
        return str(combo)

    def _on_lost(self, error: HotkeyError) -> None:
        self._held = None
        self._on_hotkey("")
        self._tell(str(error))

    def _take_up(self, wanted: Settings) -> None:
        before, self._settings = self.options, wanted
        if self.options != before:
            self._on_options(self.options)
