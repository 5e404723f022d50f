"""One share in full: its picture, its link, its limits, its totals, its visitors."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from seedshot_desktop.ui import icons, pictures, theme, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Item
from seedshot_desktop.ui.pieces import Button, ElidedLabel, IconButton, card, label
from seedshot_desktop.ui.qr_dialog import QrDialog
from seedshot_desktop.ui.visitor_list import VisitorList

_PICTURE = (200, 132)
_MARGIN = 16


class ShareDetails(QWidget):
    """Draws one ``Item``; its buttons act on that share."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._item: Item | None = None
        self._qr: QrDialog | None = None
        self._picture = _Picture()
        self._title = ElidedLabel("title")
        self._kind = label(role="muted")
        self._facts = label(role="muted", wrap=True)
        self._problem = label(role="error", wrap=True)
        self._link = QLineEdit(readOnly=True)
        self._link.setAccessibleName(self.tr("Link"))
        self._copy = Button(self.tr("Copy link"), self._on_copy, icon="copy", role="primary")
        self._visitors = VisitorList(self._on_dismiss)
        self._nobody = label(self.tr("Nobody has opened the link yet."), "muted")
        self._stack = QStackedWidget()
        self._lines = QVBoxLayout()
        self._arrange()
        theme.changed(self._colour)

    @property
    def visitors(self) -> VisitorList:
        """The list of visits."""
        return self._visitors

    @property
    def facts(self) -> str:
        """The line of limits and totals."""
        return self._facts.text()

    def draw(self, item: Item) -> None:
        """Be `item`."""
        other = self._item is None or self._item.status.share != item.status.share
        fresh_picture = other or self._item is None or self._item.thumbnail != item.thumbnail
        self._item = item
        if other and self._qr is not None:
            self._qr.reject()
        if fresh_picture:
            self._draw_picture()
        self._title.set_whole(words.one_line(item.status.label, 200))
        if self._link.text() != item.link:
            self._link.setText(item.link)
            self._link.setCursorPosition(0)
        self._visitors.draw(item.status)
        self._stack.setCurrentIndex(0 if item.status.viewers or item.status.departed else 1)
        self._draw_problem(item)
        self.tick()

    def tick(self) -> None:
        """What changes with the time alone."""
        if self._item is None:
            return
        _set(self._kind, _kind(self._item, time.time()))
        _set(self._facts, _facts(self._item, time.time()))
        self._visitors.viewport().update()

    def ended(self) -> None:
        """The share is over: what shows its link goes with it."""
        self._item = None
        self._link.clear()
        if self._qr is not None:
            self._qr.reject()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where it is narrow the picture makes room for the words."""
        super().resizeEvent(event)
        room = _PICTURE[0] + self._lines.minimumSize().width() + 3 * _MARGIN
        self._picture.setVisible(event.size().width() >= room)

    def _draw_problem(self, item: Item) -> None:
        problem = " ".join(file.problem for file in item.status.files if file.problem)
        _set(self._problem, problem)
        self._problem.setVisible(bool(problem))

    def _draw_picture(self) -> None:
        assert self._item is not None
        ratio = self.devicePixelRatioF()
        if self._item.thumbnail:
            self._picture.setPixmap(pictures.fitted(self._item.thumbnail, *_PICTURE, ratio))
        else:
            self._picture.setPixmap(icons.pixmap("document", theme.tokens().faint, 72, ratio))

    def _colour(self) -> None:
        if self._item is not None and not self._item.thumbnail:
            self._draw_picture()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._head())
        layout.addWidget(self._visits(), 1)

    def _head(self) -> QWidget:
        head = card()
        lines = self._lines
        lines.setSpacing(4)
        for widget in (self._title, self._kind, self._facts, self._problem):
            lines.addWidget(widget)
        lines.addStretch()
        lines.addLayout(self._link_row())
        lines.addSpacing(4)
        lines.addLayout(self._button_row())
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(head)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_MARGIN)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(lines, 1)
        return head

    def _link_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._link, 1)
        row.addWidget(IconButton(self.tr("Show as QR code"), "qr", self._on_qr))
        row.addWidget(IconButton(self.tr("Open in browser"), "open", self._on_open))
        return row

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._copy)
        row.addWidget(Button(self.tr("Limits…"), self._on_limits, icon="limits"))
        row.addStretch()
        row.addWidget(Button(self.tr("Revoke"), self._on_revoke, icon="revoke", role="danger"))
        return row

    def _visits(self) -> QWidget:
        ground = card()
        self._nobody.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._visitors)
        self._stack.addWidget(self._nobody)
        layout = QVBoxLayout(ground)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._stack)
        return ground

    def _on_copy(self) -> None:
        if self._item is not None:
            self._actions.copy_link(self._item.status.share)

    def _on_open(self) -> None:
        if self._item is not None:
            self._actions.open_link(self._item.status.share)

    def _on_limits(self) -> None:
        if self._item is not None:
            self._actions.change_limits(self._item.status.share)

    def _on_revoke(self) -> None:
        if self._item is not None:
            self._actions.revoke(self._item.status.share)

    def _on_dismiss(self, viewer: str) -> None:
        if self._item is not None:
            self._actions.dismiss(self._item.status.share, viewer)

    def _on_qr(self) -> None:
        if self._item is None:
            return
        self._qr = QrDialog(self._item.status.label, self._item.link, self.window())
        self._qr.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._qr.finished.connect(self._forget_qr)
        self._qr.open()

    def _forget_qr(self) -> None:
        self._qr = None


class _Picture(QLabel):
    """The share's picture: its column is as wide whatever the picture's shape, and keeps no window from shrinking."""

    def sizeHint(self) -> QSize:
        """The whole column."""
        return QSize(_PICTURE[0], super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """No width of its own."""
        return QSize(1, super().minimumSizeHint().height())


def _kind(item: Item, now: float) -> str:
    """What it is and how old."""
    what = words.tr("being prepared") if item.status.preparing else words.files(item.status.files)
    return f"{what} · {words.age(now - item.status.created_at)}"


def _facts(item: Item, now: float) -> str:
    """Limits and totals."""
    status = item.status
    parts = [words.views(status), words.tr("{} sent").format(words.size(status.bytes_sent))]
    if status.expires_at is not None:
        parts.append(words.tr("ends in {}").format(words.remaining(status.expires_at - now)))
    elif status.max_views is None:
        parts.append(words.tr("lives until you revoke it or quit"))
    return " · ".join(parts)


def _set(line: QLabel, text: str) -> None:
    """Setting the same text again would still cost a layout."""
    if line.text() != text:
        line.setText(text)
