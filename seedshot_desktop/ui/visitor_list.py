"""Who is looking at a share and who has left: one list, two sections, drawn row by row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from seedshot_desktop.seed.messages import ShareStatus, ViewerState, ViewerStatus
from seedshot_desktop.ui import icons, theme, words
from seedshot_desktop.ui.keyed_model import ROW_ROLE, KeyedModel
from seedshot_desktop.ui.share_list import bar, ground, text

_SIDE = 14
_CROSS = 16
_BAR = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section."""

    key: str
    text: str


Row = Heading | ViewerStatus


class VisitorList(QListView):
    """The visits of one share; a cross at the end of a row, or Delete, sends that viewer away."""

    def __init__(self, dismiss: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setAccessibleName(self.tr("Visitors"))
        self._dismiss = dismiss
        self._model: KeyedModel[Row] = KeyedModel(_key, _spoken, _usable, self)
        self.setModel(self._model)
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def draw(self, status: ShareStatus) -> None:
        """Be the visits of `status`."""
        self._model.apply(rows_of(status))

    def chosen(self) -> str:
        """The present viewer of the current row, or ""."""
        row = self._model.row(self.currentIndex().row())
        return row.viewer if isinstance(row, ViewerStatus) and row.state is not ViewerState.LEFT else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete sends the chosen viewer away."""
        if event.key() == Qt.Key.Key_Delete and (viewer := self.chosen()):
            self._dismiss(viewer)
        else:
            super().keyPressEvent(event)

    def send_away(self, row: Row) -> None:
        """End that visit, where it is one that lasts."""
        if isinstance(row, ViewerStatus) and row.state is not ViewerState.LEFT:
            self._dismiss(row.viewer)


def rows_of(status: ShareStatus) -> list[Row]:
    """The list's rows, headings among them; empty where nobody ever came."""
    present = [viewer for viewer in status.viewers if viewer.state is not ViewerState.CONNECTING]
    rows: list[Row] = []
    if present:
        rows += [Heading("now", words.tr("Looking now ({})").format(len(present))), *present]
    if status.departed:
        rows += [Heading("left", words.tr("Left ({})").format(len(status.departed))), *status.departed]
    return rows


class _Delegate(QStyledItemDelegate):
    """Paints a heading, a present viewer in two lines with a bar, or a departed one in two quiet lines."""

    def __init__(self, view: VisitorList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Headings are one line, visits two."""
        line = QFontMetrics(option.font).height()
        return QSize(200, line + 20 if isinstance(index.data(ROW_ROLE), Heading) else 2 * line + 28)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """One row."""
        row: Row = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, Heading):
            _paint_heading(painter, option, row)
        else:
            ground(painter, option, option.rect.adjusted(2, 1, -2, -1))
            _paint_visit(painter, option, row, time.time())
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """A click on the cross."""
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            row: Row = index.data(ROW_ROLE)
            if _cross(option.rect).adjusted(-6, -6, 6, 6).contains(event.position().toPoint()):
                self._view.send_away(row)
                return True
        return super().editorEvent(event, model, option, index)


def _paint_heading(painter: QPainter, option: QStyleOptionViewItem, row: Heading) -> None:
    font = QFont(option.font)
    font.setWeight(QFont.Weight.DemiBold)
    text(painter, font, theme.tokens().text, option.rect.adjusted(_SIDE, 6, -_SIDE, 0), row.text)


def _paint_visit(painter: QPainter, option: QStyleOptionViewItem, viewer: ViewerStatus, now: float) -> None:
    colours = theme.tokens()
    present = viewer.state is not ViewerState.LEFT
    line = QFontMetrics(option.font).height()
    rect = option.rect.adjusted(_SIDE, 7, -_SIDE, -7)
    rect.setRight(_cross(option.rect).left() - 12)
    if present and option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(_cross(option.rect).topLeft(), icons.pixmap("leave", colours.muted, _CROSS, ratio))
    first = QRect(rect.left(), rect.top(), rect.width(), line)
    used = text(painter, option.font, colours.muted, first, _right(viewer, now), right=True)
    first.setRight(first.right() - used - 12)
    text(painter, option.font, colours.text if present else colours.muted, first, words.visitor(viewer))
    second = QRect(rect.left(), rect.top() + line + 5, rect.width(), line)
    if present:
        _paint_progress(painter, option.font, second, viewer)
    else:
        text(painter, option.font, colours.muted, second, words.farewell(viewer))


def _paint_progress(painter: QPainter, font: QFont, rect: QRect, viewer: ViewerStatus) -> None:
    colours = theme.tokens()
    done = viewer.state is ViewerState.COMPLETE
    percent = words.percent(viewer.held, viewer.total)
    doing = words.doing(viewer)
    said = doing if done or viewer.state is ViewerState.WAITING else f"{percent} % · {doing}"
    room = max(QFontMetrics(font).horizontalAdvance(sample) for sample in (said, f"100 % · {words.rate(99.9e6)}"))
    column = QRect(rect.right() - room, rect.top(), room + 1, rect.height())
    text(painter, font, colours.muted, column, said, right=True)
    width = max(40, column.left() - 14 - rect.left())
    bar(painter, QRectF(rect.left(), rect.center().y() - _BAR / 2 + 1, width, _BAR), 1.0 if done else percent / 100)


def _right(viewer: ViewerStatus, now: float) -> str:
    """How the bytes travel and for how long, or how long ago it ended."""
    if viewer.state is ViewerState.LEFT:
        return words.age(now - (viewer.left_at or now))
    return " · ".join(filter(None, [words.path(viewer), words.duration(now - viewer.joined_at)]))


def _cross(rect: QRect) -> QRect:
    """Where the cross of a row is."""
    return QRect(rect.right() - _SIDE - _CROSS, rect.center().y() - _CROSS // 2, _CROSS, _CROSS)


def _key(row: Row) -> str:
    if isinstance(row, Heading):
        return f"heading {row.key}"
    return f"{'left' if row.state is ViewerState.LEFT else 'here'} {row.viewer} {row.joined_at}"


def _usable(row: Row) -> bool:
    return isinstance(row, ViewerStatus)


def _spoken(row: Row) -> str:
    if isinstance(row, Heading):
        return row.text
    if row.state is ViewerState.LEFT:
        return f"{words.visitor(row)}, {words.farewell(row)}"
    share = f"{words.percent(row.held, row.total)} %"
    return ", ".join(filter(None, [words.visitor(row), share, words.doing(row), words.path(row)]))
