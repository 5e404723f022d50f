"""The tray's menu: the ways to share, the live shares, and everything else."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMenu

from seedshot_desktop.seed.messages import ServerState
from seedshot_desktop.ui import icons, pictures, theme, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Item, Overview

_LISTED = 8
"""Shares in the menu; the window shows the rest."""


class TrayMenu(QMenu):
    """The tray's menu. While it is open its texts follow, but nothing moves under the pointer.

    Where a panel draws it from what is said over D-Bus, nobody says reliably
    that it is open: there lines come and go at once, and a click still hits the
    line that it was meant for, since the panel names it.
    """

    def __init__(self, actions: Actions, *, by_bus: bool = False) -> None:
        super().__init__()
        self._actions, self._by_bus = actions, by_bus
        self._shares: dict[str, _ShareMenu] = {}
        self._overview = Overview()
        self._problem = self._line(self)
        self._capture = self._add(self.tr("Capture region"), "region", lambda: actions.capture("region"))
        self._add(self.tr("Capture screen"), "screen", lambda: actions.capture("screen"))
        self._add(self.tr("Share files…"), "file", actions.choose_files)
        self._begin = self.addSeparator()
        self._nothing = self._line(self)
        self._nothing.setText(self.tr("Nothing is shared"))
        self._more = self._add("", "windows", actions.show_shares)
        self._revoke_all = self._add(self.tr("Revoke all"), "revoke", actions.revoke_all)
        self.addSeparator()
        self._add(self.tr("Shares…"), "windows", actions.show_shares)
        self._add(self.tr("Settings…"), "settings", actions.show_settings)
        self._add(self.tr("Quit"), "quit", actions.quit)
        self.aboutToHide.connect(lambda: QTimer.singleShot(0, self, self._arrange))
        theme.changed(self._colour)
        self._arrange()

    def draw(self, overview: Overview) -> None:
        """Show `overview`; lines come and go only while the menu is closed."""
        self._overview = overview
        if self.isVisible():
            self._refresh()
        else:
            self._arrange()

    def set_hotkey(self, combo: str) -> None:
        """Name the combination beside the first line; pressing it is the hotkey's business."""
        self._capture.setShortcut(QKeySequence(combo.replace("Super", "Meta")))

    def share_menu(self, share: str) -> QMenu | None:
        """The submenu of a share, where it is listed."""
        return self._shares.get(share)

    def _arrange(self) -> None:
        """Add the lines of new shares, remove those of ended ones, bring all up to date."""
        listed = self._overview.items[:_LISTED]
        wanted = [item.status.share for item in listed]
        for share in self._shares.keys() - set(wanted):
            ended = self._shares.pop(share)
            self.removeAction(ended.menuAction())
            ended.deleteLater()
        before = self._nothing
        for item in reversed(listed):
            if item.status.share not in self._shares:
                self._shares[item.status.share] = _ShareMenu(self, self._actions, item, by_bus=self._by_bus)
                self.insertMenu(before, self._shares[item.status.share])
            before = self._shares[item.status.share].menuAction()
        self._refresh()

    def _refresh(self) -> None:
        """Texts and states, in place."""
        overview = self._overview
        for share, menu in self._shares.items():
            menu.draw(overview.item(share))
        hidden = len(overview.items) - _LISTED
        _set(self._more, self.tr("%n more…", None, hidden) if hidden > 0 else "", hidden > 0)
        _set(self._nothing, self._nothing.text(), not self._shares)
        _set(self._problem, words.for_menu(_short(overview)), bool(_short(overview)))
        self._revoke_all.setEnabled(bool(overview.items))

    def _add(self, text: str, icon: str, deed: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setData(icon)
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _checked: deed())
        self.addAction(action)
        return action

    def _line(self, menu: QMenu) -> QAction:
        line = QAction(menu)
        line.setEnabled(False)
        menu.addAction(line)
        return line

    def _colour(self) -> None:
        for action in self.actions():
            if action.data():
                action.setIcon(_line_icon(action.data()))


class _ShareMenu(QMenu):
    """What can be done with one share."""

    def __init__(self, parent: QMenu, actions: Actions, item: Item, *, by_bus: bool) -> None:
        super().__init__(parent)
        self._by_bus = by_bus
        self._share = item.status.share
        self._thumbnail: bytes | None = None
        self._deeds = [
            self._add(self.tr("Copy link"), "copy", actions.copy_link),
            self._add(self.tr("Open in browser"), "open", actions.open_link),
            self._add(self.tr("Limits…"), "limits", actions.change_limits),
        ]
        self.addSeparator()
        self._deeds.append(self._add(self.tr("Revoke"), "revoke", actions.revoke))
        theme.changed(self._colour)
        self.draw(item)

    def draw(self, item: Item | None) -> None:
        """Show the share as it is; None: it ended while the menu was open."""
        self.menuAction().setEnabled(item is not None)
        if item is None:
            return
        label = words.for_menu(item.status.label, by_bus=self._by_bus)
        _set(self.menuAction(), f"{label}  ({words.watchers(item.watchers)})")
        if item.thumbnail != self._thumbnail:
            self._thumbnail = item.thumbnail
            self.setIcon(self._picture(item))

    def _picture(self, item: Item) -> QIcon:
        return QIcon(pictures.rounded(item.thumbnail, 32)) if item.thumbnail else _line_icon("document")

    def _add(self, text: str, icon: str, deed: Callable[[str], None]) -> QAction:
        action = self.addAction(text)
        action.setData(icon)
        action.triggered.connect(lambda: deed(self._share))
        return action

    def _colour(self) -> None:
        for action in self._deeds:
            action.setIcon(_line_icon(action.data()))
        if not self._thumbnail:
            self.setIcon(_line_icon("document"))


def _line_icon(name: str) -> QIcon:
    tokens = theme.tokens()
    return icons.icon(name, tokens.text, tokens.faint)


def _set(action: QAction, text: str, visible: bool = True) -> None:
    """Change only what differs: each change travels to the panel that draws the menu."""
    if action.text() != text:
        action.setText(text)
    if action.isVisible() != visible:
        action.setVisible(visible)


def _short(overview: Overview) -> str:
    """A line on why links do not work now; the windows have the whole sentence."""
    if overview.problem or overview.server == ServerState.OFFLINE:
        return words.tr("Server away; links work when it is back")
    return ""
