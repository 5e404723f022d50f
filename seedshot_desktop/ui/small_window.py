"""The tray's stand-in on a desktop without a tray: a small window that does the same work.

Closing it ends the app, since nothing else would show that it runs; where
shares live, ``Actions.quit`` asks first.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from seedshot_desktop.ui import icons, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Overview
from seedshot_desktop.ui.drop import dropped_files
from seedshot_desktop.ui.empty_page import KeyCaps
from seedshot_desktop.ui.pieces import Banner, Button, IconButton, card, label
from seedshot_desktop.ui.share_list import ShareList
from seedshot_desktop.ui.share_menu import share_menu

_SIZE = (360, 480)
_MARGIN = 14


class SmallWindow(QWidget):
    """Draws an ``Overview``, and calls ``Actions``."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setWindowTitle("Seedshot")
        self.resize(*_SIZE)
        self.setAcceptDrops(True)
        self._actions = actions
        self._retired = False
        self._state = label(role="muted")
        self._banner = Banner()
        self._list = ShareList()
        self._keys = KeyCaps()
        self._stack = QStackedWidget()
        self._copy = Button(self.tr("Copy link"), self._on_copy, icon="copy")
        self._revoke = Button(self.tr("Revoke"), self._on_revoke, icon="revoke", role="danger")
        self._arrange()
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._list.customContextMenuRequested.connect(self._on_menu)
        self._list.setFocus()
        self._list.activated.connect(lambda _index: actions.show_shares())

    @property
    def list(self) -> ShareList:
        """The shares."""
        return self._list

    def draw(self, overview: Overview) -> None:
        """Be `overview`."""
        self._state.setText(_state(overview))
        self._banner.tell(overview.problem)
        self._list.draw(overview)
        self._stack.setCurrentIndex(0 if overview.items else 1)
        for button in (self._copy, self._revoke):
            button.setEnabled(bool(overview.items))

    def set_hotkey(self, combo: str) -> None:
        """The combination that is held; "" for none."""
        self._keys.set_keys(combo.split("+") if combo else [])

    def retire(self) -> None:
        """A tray has come: go, without ending anything."""
        self._retired = True
        self.close()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Whoever closes it means to quit; the app closes the window itself when that is settled."""
        if self._retired:
            event.accept()
            return
        event.ignore()
        self._actions.quit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped."""
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Share them."""
        event.acceptProposedAction()
        self._actions.share_files(dropped_files(event.mimeData()))

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(10)
        layout.addLayout(self._head())
        layout.addWidget(self._banner)
        layout.addLayout(self._deeds())
        layout.addWidget(self._shares(), 1)
        row = QHBoxLayout()
        row.addWidget(self._copy)
        row.addWidget(self._revoke)
        row.addStretch()
        row.addWidget(IconButton(self.tr("All about the shares"), "windows", self._actions.show_shares))
        layout.addLayout(row)

    def _head(self) -> QHBoxLayout:
        picture = QLabel()
        picture.setPixmap(icons.pixmap("seedshot", "", 36, self.devicePixelRatioF()))
        lines = QVBoxLayout()
        lines.setSpacing(0)
        lines.addWidget(label("Seedshot", "heading"))
        lines.addWidget(self._state)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(picture)
        row.addLayout(lines, 1)
        row.addWidget(IconButton(self.tr("Settings"), "settings", self._actions.show_settings))
        row.addWidget(IconButton(self.tr("Quit"), "quit", self._actions.quit))
        return row

    def _deeds(self) -> QVBoxLayout:
        actions = self._actions
        capture = Button(self.tr("Capture region"), lambda: actions.capture("region"), icon="region", role="primary")
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(Button(self.tr("Capture screen"), lambda: actions.capture("screen"), icon="screen"))
        second.addWidget(Button(self.tr("Share files…"), actions.choose_files, icon="file"))
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(capture)
        column.addLayout(second)
        return column

    def _shares(self) -> QWidget:
        empty = QWidget()
        inside = QVBoxLayout(empty)
        inside.addStretch()
        inside.addWidget(self._keys, 0, Qt.AlignmentFlag.AlignHCenter)
        hint = label(self.tr("takes a region and copies its link.\nFiles can be dropped here."), "muted")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(hint)
        inside.addStretch()
        self._stack.addWidget(self._list)
        self._stack.addWidget(empty)
        ground = card()
        layout = QVBoxLayout(ground)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._stack)
        return ground

    def _on_copy(self) -> None:
        if item := self._list.chosen():
            self._actions.copy_link(item.status.share)

    def _on_revoke(self) -> None:
        if item := self._list.chosen():
            self._actions.revoke(item.status.share)

    def _on_menu(self, place: QPoint) -> None:
        if share := self._list.share_at(self._list.indexAt(place)):
            share_menu(self, self._actions, share).popup(self._list.viewport().mapToGlobal(place))


def _state(overview: Overview) -> str:
    if not overview.items:
        return words.tr("Nothing is shared")
    return f"{words.shares(len(overview.items))}, {words.watchers(overview.watchers)}"
