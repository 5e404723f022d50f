"""The list of live shares: a thumbnail, a name, who is looking, how far they are."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from seedshot_desktop.seed.messages import ViewerState
from seedshot_desktop.ui import icons, pictures, theme, words
from seedshot_desktop.ui.book import Item, Overview
from seedshot_desktop.ui.keyed_model import ROW_ROLE, KeyedModel

_ROW = 68
_PICTURE = 48
_GAP = 10
_BAR = 3


class ShareList(QListView):
    """Shows every share of an ``Overview``; its current row is the chosen share."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setAccessibleName(self.tr("Shares"))
        self._model: KeyedModel[Item] = KeyedModel(lambda item: item.status.share, _spoken, parent=self)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def draw(self, overview: Overview) -> None:
        """Be `overview`; where the chosen share ended, its neighbour is chosen, or the newest."""
        newest = self._model.row(0)
        followed = self.currentIndex().row() <= 0 or newest is None
        self._model.apply(overview.items)
        if overview.items and (followed or not self.currentIndex().isValid()):
            first = overview.items[0].status.share
            if newest is None or newest.status.share != first or not self.currentIndex().isValid():
                self.setCurrentIndex(self._model.index(0))

    def chosen(self) -> Item | None:
        """The share of the current row."""
        return self._model.row(self.currentIndex().row())

    def share_at(self, index: QModelIndex) -> str:
        """The id of the share in that row; "" outside of the rows."""
        item = self._model.row(index.row())
        return item.status.share if item else ""

    def choose(self, share: str) -> None:
        """Make that share the current one."""
        if (number := self._model.find(share)) >= 0:
            self.setCurrentIndex(self._model.index(number))


class _Delegate(QStyledItemDelegate):
    """Paints one share."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All rows are as high."""
        return QSize(200, max(_ROW, 2 * QFontMetrics(option.font).height() + 30))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Ground, picture, two lines, and a bar while somebody receives."""
        item: Item = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect.adjusted(2, 2, -2, -2)
        ground(painter, option, rect)
        picture = QRect(rect.left() + _GAP, rect.center().y() - _PICTURE // 2, _PICTURE, _PICTURE)
        _paint_picture(painter, picture, item)
        lines = QRect(picture.right() + _GAP + 2, rect.top(), 0, rect.height())
        lines.setRight(rect.right() - _GAP)
        self._paint_lines(painter, option.font, lines, item)
        painter.restore()

    def _paint_lines(self, painter: QPainter, font: QFont, rect: QRect, item: Item) -> None:
        colours = theme.tokens()
        bold = QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        height = QFontMetrics(font).height()
        top = rect.center().y() - height - 1
        text(
            painter,
            bold,
            colours.text,
            QRect(rect.left(), top, rect.width(), height),
            words.one_line(item.status.label, 80),
        )
        second = QRect(rect.left(), top + height + 4, rect.width(), height)
        if item.watchers:
            dot = QRectF(second.left(), second.center().y() - 3, 7, 7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.live))
            painter.drawEllipse(dot)
            second.setLeft(second.left() + 13)
        text(painter, font, colours.live if item.watchers else colours.muted, second, _second_line(item))
        self._paint_bar(painter, QRectF(rect.left(), second.bottom() + 4, rect.width(), _BAR), item)

    def _paint_bar(self, painter: QPainter, rect: QRectF, item: Item) -> None:
        receiving = [viewer for viewer in item.status.viewers if viewer.state == ViewerState.RECEIVING]
        if receiving:
            held = sum(viewer.held for viewer in receiving)
            bar(painter, rect, held / max(1, sum(viewer.total for viewer in receiving)))


def ground(painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
    """What is behind a row: chosen, under the pointer, and a frame for the keyboard's focus."""
    colours = theme.tokens()
    chosen = bool(option.state & QStyle.StateFlag.State_Selected)
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    if chosen or hovered:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.selected if chosen else colours.hover))
        painter.drawRoundedRect(rect, 8, 8)
    if option.state & QStyle.StateFlag.State_HasFocus and option.state & QStyle.StateFlag.State_KeyboardFocusChange:
        painter.setPen(QColor(colours.accent))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def text(painter: QPainter, font: QFont, colour: str, rect: QRect, words_: str, *, right: bool = False) -> int:
    """One line of plain text, its end left out where there is no room; its width in pixels."""
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(words_, Qt.TextElideMode.ElideRight, rect.width() + 1)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
    return metrics.horizontalAdvance(shown)


def bar(painter: QPainter, rect: QRectF, part: float, colour: str = "") -> None:
    """A progress bar, `part` from 0 to 1."""
    colours = theme.tokens()
    radius = rect.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.track))
    painter.drawRoundedRect(rect, radius, radius)
    if part > 0:
        painter.setBrush(QColor(colour or colours.accent))
        width = max(rect.height(), rect.width() * min(1.0, part))
        painter.drawRoundedRect(QRectF(rect.left(), rect.top(), width, rect.height()), radius, radius)


def _paint_picture(painter: QPainter, rect: QRect, item: Item) -> None:
    ratio = painter.device().devicePixelRatioF()
    if item.thumbnail:
        painter.drawPixmap(rect.topLeft(), pictures.rounded(item.thumbnail, rect.width(), ratio, 6.0))
        return
    colours = theme.tokens()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.track))
    painter.drawRoundedRect(rect, 6, 6)
    side = rect.width() // 2
    place = rect.center() - QRect(0, 0, side, side).center()
    painter.drawPixmap(place, icons.pixmap("document", colours.muted, side, ratio))


def _second_line(item: Item) -> str:
    idle = words.tr("being prepared") if item.status.preparing else words.views(item.status)
    who = words.watchers(item.watchers) if item.watchers else idle
    return f"{who} · {words.age(time.time() - item.status.created_at)}"


def _spoken(item: Item) -> str:
    return f"{words.one_line(item.status.label, 80)}, {words.watchers(item.watchers)}, {words.views(item.status)}"
