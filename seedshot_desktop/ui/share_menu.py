"""What can be done with one share, as a menu."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from seedshot_desktop.ui import icons, theme
from seedshot_desktop.ui.actions import Actions


def share_menu(parent: QWidget, actions: Actions, share: str) -> QMenu:
    """For a right click on a share; gone when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    colours = theme.tokens()
    for text, icon, deed in (
        (parent.tr("Copy link"), "copy", actions.copy_link),
        (parent.tr("Open in browser"), "open", actions.open_link),
        (parent.tr("Limits…"), "limits", actions.change_limits),
        (parent.tr("Revoke"), "revoke", actions.revoke),
    ):
        if icon == "revoke":
            menu.addSeparator()
        action = menu.addAction(icons.icon(icon, colours.text, colours.faint), text)
        action.triggered.connect(lambda _checked, deed=deed: deed(share))
    return menu
