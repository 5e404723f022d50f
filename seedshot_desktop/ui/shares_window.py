"""The shares window: every live share, and of the chosen one everything."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from seedshot_desktop.ui import words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Overview
from seedshot_desktop.ui.drop import dropped_files
from seedshot_desktop.ui.empty_page import EmptyPage
from seedshot_desktop.ui.pieces import Banner, Button, IconButton, card, label
from seedshot_desktop.ui.share_details import ShareDetails
from seedshot_desktop.ui.share_list import ShareList
from seedshot_desktop.ui.share_menu import share_menu

_SIZE = (940, 620)
_LEAST_HEIGHT = 420
_TICK_MS = 1000
_TICK_QUIET_MS = 15_000
_MARGIN = 16


class SharesWindow(QWidget):
    """Draws an ``Overview`` while it is shown; files dropped on it are shared."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Shares"))
        self.resize(*_SIZE)
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.setAcceptDrops(True)
        self._actions = actions
        self._overview = Overview()
        self._title = label(role="title")
        self._state = label(role="muted")
        self._banner = Banner()
        self._revoke_all = Button(self.tr("Revoke all"), actions.revoke_all, icon="revoke", role="danger")
        self._list = ShareList()
        self._details = ShareDetails(actions)
        self._empty = EmptyPage(actions)
        self._stack = QStackedWidget()
        self._arrange()
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._tick)
        self._list.selectionModel().currentChanged.connect(lambda *_: self._draw_details())
        self._list.customContextMenuRequested.connect(self._on_menu)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self, self._on_copy)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)

    @property
    def list(self) -> ShareList:
        """The shares."""
        return self._list

    @property
    def details(self) -> ShareDetails:
        """The chosen share."""
        return self._details

    @property
    def problem(self) -> str:
        """The sentence in the banner; "" while all is well."""
        return self._banner.text

    def set_hotkey(self, combo: str) -> None:
        """The combination that the empty window teaches."""
        self._empty.set_hotkey(combo)

    def draw(self, overview: Overview) -> None:
        """Be `overview`; a hidden window catches up when it is shown."""
        self._overview = overview
        if not self.isVisible():
            return
        self._title.setText(self.tr("Shares"))
        self._state.setText(_state(overview))
        self._banner.tell(overview.problem)
        self._revoke_all.setVisible(bool(overview.items))
        self._list.draw(overview)
        self._show_page(0 if overview.items else 1)
        self._draw_details()
        self._clock.setInterval(_TICK_MS if overview.watchers else _TICK_QUIET_MS)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up, and keep the times right from now on."""
        super().showEvent(event)
        self._clock.start()
        self.draw(self._overview)
        self._place_focus()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody reads the times."""
        self._clock.stop()
        super().hideEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped."""
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self._empty.set_dropping(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Not dropped."""
        self._empty.set_dropping(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Share them."""
        self._empty.set_dropping(False)
        event.acceptProposedAction()
        self._actions.share_files(dropped_files(event.mimeData()))

    def _arrange(self) -> None:
        ground = card()
        inside = QVBoxLayout(ground)
        inside.setContentsMargins(4, 4, 4, 4)
        inside.addWidget(self._list)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(12)
        split.addWidget(ground)
        split.addWidget(self._details)
        split.setStretchFactor(1, 1)
        split.setSizes([290, 620])
        ground.setMinimumWidth(220)
        self._stack.addWidget(split)
        self._stack.addWidget(self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(12)
        layout.addLayout(self._bar())
        layout.addWidget(self._banner)
        layout.addWidget(self._stack, 1)

    def _bar(self) -> QHBoxLayout:
        actions = self._actions
        words_ = QVBoxLayout()
        words_.setSpacing(0)
        words_.addWidget(self._title)
        words_.addWidget(self._state)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(words_)
        row.addStretch()
        row.addWidget(self._revoke_all)
        row.addWidget(Button(self.tr("Share files…"), actions.choose_files, icon="file"))
        capture = Button(self.tr("Capture region"), lambda: actions.capture("region"), icon="region", role="primary")
        row.addWidget(capture)
        row.addWidget(IconButton(self.tr("Settings"), "settings", actions.show_settings))
        return row

    def _show_page(self, number: int) -> None:
        """The shares, or how to make one."""
        if self._stack.currentIndex() != number:
            self._stack.setCurrentIndex(number)
            self._place_focus()

    def _place_focus(self) -> None:
        """On the list; without shares on nothing, so that no button looks chosen."""
        if self._stack.currentIndex() == 0:
            self._list.setFocus()
        else:
            self.setFocus()

    def _draw_details(self) -> None:
        item = self._list.chosen()
        if item is not None:
            self._details.draw(item)
        else:
            self._details.ended()

    def _tick(self) -> None:
        self._list.viewport().update()
        self._details.tick()

    def _on_copy(self) -> None:
        if item := self._list.chosen():
            self._actions.copy_link(item.status.share)

    def _on_menu(self, place: QPoint) -> None:
        if share := self._list.share_at(self._list.indexAt(place)):
            share_menu(self, self._actions, share).popup(self._list.viewport().mapToGlobal(place))


def _state(overview: Overview) -> str:
    if not overview.items:
        return words.tr("Nothing is shared")
    return f"{words.shares(len(overview.items))}, {words.watchers(overview.watchers)}"
