"""The tray icon: its menu, its state, its notifications.

A left click takes a region at once, since that is what the app is for; a middle
click opens the shares window; a right click opens the menu (on macOS every
click opens the menu, as everywhere there).
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from seedshot_desktop.seed.messages import ServerState
from seedshot_desktop.ui import icons, pictures, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Overview
from seedshot_desktop.ui.desktop_notes import PICTURE, Notice
from seedshot_desktop.ui.tray_menu import TrayMenu

_NOTE_MS = 5000


class Tray(QObject):
    """The icon and its menu; draws an ``Overview``, and calls ``Actions``."""

    def __init__(self, actions: Actions, parent: QObject | None = None, *, by_bus: bool = False) -> None:
        """`by_bus`: a panel on D-Bus draws the icon and the menu."""
        super().__init__(parent)
        self._actions = actions
        self._menu = TrayMenu(actions, by_bus=by_bus)
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._icon.messageClicked.connect(actions.show_shares)
        self._state = ""
        self.draw(Overview())
        self._icon.show()

    @property
    def menu(self) -> TrayMenu:
        """The context menu."""
        return self._menu

    @property
    def state(self) -> str:
        """``idle``, ``watched`` or ``away``: which icon is shown."""
        return self._state

    @property
    def tooltip(self) -> str:
        """What the pointer is told."""
        return self._icon.toolTip()

    def draw(self, overview: Overview) -> None:
        """Show what has changed; nothing is touched that has not."""
        state = icon_state(overview)
        if state != self._state:
            self._state = state
            self._icon.setIcon(icons.tray_icon(f"tray-{state}"))
        if (tooltip := _tooltip(overview)) != self._icon.toolTip():
            self._icon.setToolTip(tooltip)
        self._menu.draw(overview)

    def set_hotkey(self, combo: str) -> None:
        """The combination that the menu names; "" for none."""
        self._menu.set_hotkey(combo)

    def notify(self, notice: Notice) -> None:
        """A notification of Windows or macOS; a click on it opens the shares window."""
        picture = notice.thumbnail and pictures.fitted(notice.thumbnail, *PICTURE, radius=0.0)
        self._icon.showMessage(notice.title, notice.text, QIcon(picture) if picture else icons.logo(), _NOTE_MS)

    def close(self) -> None:
        """Take the icon away."""
        self._icon.hide()
        self._menu.deleteLater()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if sys.platform == "darwin":
            return
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._actions.capture("region")
        elif reason == QSystemTrayIcon.ActivationReason.MiddleClick:
            self._actions.show_shares()


def icon_state(overview: Overview) -> str:
    """Which icon says how things stand: a server that is away comes before viewers."""
    if overview.problem or overview.server == ServerState.OFFLINE:
        return "away"
    return "watched" if overview.watchers else "idle"


def _tooltip(overview: Overview) -> str:
    shares = words.shares(len(overview.items))
    state = f"{shares}, {words.watchers(overview.watchers)}" if overview.items else shares
    return "\n".join(filter(None, [f"Seedshot: {state}", overview.problem]))
