"""A note in a corner of the screen, where the desktop shows no notifications for a program without a tray."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QCursor, QEnterEvent, QGuiApplication, QMouseEvent, QPainterPath, QRegion
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from seedshot_desktop.ui import icons, pictures
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.pieces import card, label

_SHOWN_MS = 5000
_MARGIN = 16
_WIDTH = 340
_PICTURE = (96, 72)
_RADIUS = 10


class Toast(QWidget):
    """Shows one note at a time, takes no focus, stays while the pointer rests on it."""

    def __init__(self, clicked: Callable[[], None]) -> None:
        super().__init__(
            None,
            Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowDoesNotAcceptFocus,
        )
        self._clicked = clicked
        self._share = ""
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._picture = QLabel()
        self._title = label(role="heading")
        self._text = label(role="muted", wrap=True)
        self._arrange()
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    def tell(self, notice: Notice) -> None:
        """Show `notice` in the corner of the screen that the pointer is on."""
        self._share = notice.share
        ratio = self.devicePixelRatioF()
        if notice.thumbnail:
            self._picture.setPixmap(pictures.fitted(notice.thumbnail, *_PICTURE, ratio, 5.0))
        else:
            self._picture.setPixmap(icons.pixmap("seedshot", "", 40, ratio))
        self._title.setText(notice.title)
        self._text.setText(notice.text)
        self.setAccessibleName(f"{notice.title}. {notice.text}")
        self.setFixedWidth(_WIDTH)
        self.adjustSize()
        self.setMask(_rounded(self.rect()))
        self.move(self._corner())
        self.show()
        self._timer.start()

    def forget(self, share: str) -> None:
        """That share has ended: what was said of it is not true any more."""
        if self._share == share:
            self._timer.stop()
            self.hide()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Being read: stay."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Read."""
        self._timer.start()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click is for the window that says more."""
        self.hide()
        if event.button() == Qt.MouseButton.LeftButton:
            self._clicked()

    def _arrange(self) -> None:
        ground = card(self)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addStretch()
        words.addWidget(self._title)
        words.addWidget(self._text)
        words.addStretch()
        inside = QHBoxLayout(ground)
        inside.setContentsMargins(14, 12, 14, 12)
        inside.setSpacing(12)
        inside.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignVCenter)
        inside.addLayout(words, 1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(ground)

    def _corner(self) -> QPoint:
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        return QPoint(area.right() - self.width() - _MARGIN, area.bottom() - self.height() - _MARGIN)


def _rounded(rect: QRect) -> QRegion:
    """Round corners even where nothing composes transparent windows; as round as a card of the style sheet."""
    shape = QPainterPath()
    shape.addRoundedRect(QRectF(rect), _RADIUS, _RADIUS)
    return QRegion(shape.toFillPolygon().toPolygon())
