"""The overlay's window on one monitor: Qt's events in, repaints of what changed out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import (
    QBackingStore,
    QCloseEvent,
    QExposeEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QRegion,
    QResizeEvent,
    QScreen,
    QWindow,
)

from seedshot_desktop.ui.selector_model import Grip, Phase, Point
from seedshot_desktop.ui.selector_paint import Brush, rects
from seedshot_desktop.ui.selector_scene import Scene
from seedshot_desktop.ui.selector_values import FrozenScreen


class Controls(Protocol):
    """What a window tells its selector; points are physical pixels of the virtual desktop."""

    def on_move(self, point: Point, *, pressed: bool) -> None:
        """The mouse moved, with or without its button."""

    def on_press(self, point: Point, button: Qt.MouseButton) -> None:
        """A button went down."""

    def on_release(self, point: Point, button: Qt.MouseButton) -> None:
        """A button went up."""

    def on_double_click(self, point: Point) -> None:
        """The left button, twice."""

    def on_key(self, event: QKeyEvent, *, down: bool) -> None:
        """A key went down or up."""

    def on_closed(self) -> None:
        """The window was closed from outside."""

    def on_painted(self, window: SelectorWindow) -> None:
        """The window's whole picture was sent to the screen."""


_CURSORS = {
    Grip.NONE: Qt.CursorShape.CrossCursor,
    Grip.ALL: Qt.CursorShape.SizeAllCursor,
    Grip.LEFT: Qt.CursorShape.SizeHorCursor,
    Grip.RIGHT: Qt.CursorShape.SizeHorCursor,
    Grip.TOP: Qt.CursorShape.SizeVerCursor,
    Grip.BOTTOM: Qt.CursorShape.SizeVerCursor,
    Grip.LEFT | Grip.TOP: Qt.CursorShape.SizeFDiagCursor,
    Grip.RIGHT | Grip.BOTTOM: Qt.CursorShape.SizeFDiagCursor,
    Grip.RIGHT | Grip.TOP: Qt.CursorShape.SizeBDiagCursor,
    Grip.LEFT | Grip.BOTTOM: Qt.CursorShape.SizeBDiagCursor,
}
_ROUNDING = 0.01
"""A pixel's position came through a division by the scale and may lie a hair below the pixel."""


def _flags() -> Qt.WindowType:
    """No frame, above everything.

    On X11 the window manager is bypassed: it neither animates the window nor
    moves it, nor takes the focus from the window in which the link will be pasted.
    """
    flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
    if QGuiApplication.platformName() == "xcb":
        flags |= Qt.WindowType.BypassWindowManagerHint
    return flags


class SelectorWindow(QWindow):
    """Shows a frozen screen on its own screen; made once, used for every question.

    It draws on a backing store that it keeps: the 33 MB of a 4K screen are 8100
    page faults, which nobody should wait for who has just pressed the hotkey.
    """

    def __init__(self, screen: QScreen) -> None:
        """Costs nothing to be seen: the window stays hidden, its memory is made ready."""
        super().__init__(screen)
        self._controls: Controls | None = None
        self._frozen: FrozenScreen | None = None
        self._image = QImage()
        self._unpainted = QRegion()
        self._unsent = False
        self.scene = Scene()
        """What stands there now."""
        self.place = (screen.geometry(), screen.devicePixelRatio())
        """Where, and at which scale; a window of another place is of no use any more."""
        self.brush = Brush(screen.devicePixelRatio())
        self.setFlags(_flags())
        self.setTitle("Select a region")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setGeometry(screen.geometry())
        self.create()
        self._store = QBackingStore(self)
        self._store.resize(self.size())
        self._fill(self._whole(), self._touch)

    def _whole(self) -> QRegion:
        return QRegion(QRect(0, 0, self.width(), self.height()))

    def _touch(self, painter: QPainter, _region: QRegion) -> None:
        """Have the system find the memory of the store now."""
        painter.fillRect(QRect(0, 0, self.width(), self.height()), Qt.GlobalColor.black)

    @property
    def frozen(self) -> FrozenScreen:
        """The picture on it; only while it is shown."""
        assert self._frozen is not None
        return self._frozen

    def freeze(self, frozen: FrozenScreen, controls: Controls) -> None:
        """Take the picture of the coming question."""
        self._controls, self._frozen = controls, frozen
        # No copy: the image reads the frame's own bytes, which `frozen` keeps alive.
        size = (frozen.width, frozen.height, frozen.width * 4)
        self._image = QImage(frozen.pixels, *size, QImage.Format.Format_RGB32)

    def appear(self, scene: Scene) -> None:
        """Show the picture with `scene` on it."""
        self.scene = scene
        self._unsent = True
        self._unpainted = self._whole()
        if QGuiApplication.platformName().startswith("wayland"):
            self.showFullScreen()  # a Wayland client cannot choose its place, only its output
        else:
            self.show()
        self._paint()  # while the system shows the window; it is sent once that is done

    def vanish(self) -> None:
        """Hide, and let go of the picture."""
        self.hide()
        self._controls, self._frozen, self._image = None, None, QImage()
        self.scene = Scene()

    def wipe(self) -> None:
        """Overwrite what the hidden window's memory still holds of the picture."""
        if self._frozen is None:
            self._fill(self._whole(), self._touch)

    def draw(self, scene: Scene) -> None:
        """Show `scene` from now on; repaints only where it differs."""
        before, self.scene = self.scene, scene
        changed = self.brush.changed(before, scene, self._image)
        if not changed.isEmpty():
            self._unpainted = self._unpainted.united(self._logical(changed))
            self.requestUpdate()

    def point_to(self, grip: Grip, phase: Phase, *, hand: bool) -> None:
        """The cursor for what a press would do; `hand` over a button."""
        shape = Qt.CursorShape.CrossCursor if phase in (Phase.AIMING, Phase.DRAWING) else _CURSORS[grip]
        shape = Qt.CursorShape.PointingHandCursor if hand else shape
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def to_pixel(self, position: QPointF) -> Point:
        """The physical pixel of the virtual desktop under a position in this window."""
        across, down = self._ratio()
        x, y = math.floor(position.x() * across + _ROUNDING), math.floor(position.y() * down + _ROUNDING)
        return self.frozen.x + x, self.frozen.y + y

    def _ratio(self) -> tuple[float, float]:
        """Physical pixels for a logical one.

        What Qt says, as long as the picture bears it out: under Wayland Qt rounds
        1.5 to 2, and then only the picture's size is true.
        """
        ratio, width, height = self.devicePixelRatio(), self._image.width(), self._image.height()
        if abs(width / ratio - self.width()) < 1 and abs(height / ratio - self.height()) < 1:
            return ratio, ratio
        return width / max(1, self.width()), height / max(1, self.height())

    def _logical(self, region: QRegion) -> QRegion:
        """Rectangles of this window that cover the physical `region`."""
        across, down = self._ratio()
        return _scaled(region, 1 / across, 1 / down)

    def _physical(self, region: QRegion) -> QRegion:
        """The physical pixels that the logical `region` touches, each of them once."""
        across, down = self._ratio()
        return _scaled(region, across, down).intersected(self._image.rect())

    # Painting

    def _paint(self) -> None:
        """Draw what is not up to date into the store, and send it if the window can be seen."""
        region, self._unpainted = self._unpainted, QRegion()
        if self._frozen is None or region.isEmpty():
            return
        self._fill(region, self._paint_scene)
        if self.isExposed():
            self._send(region)

    def _fill(self, region: QRegion, paint: Callable[[QPainter, QRegion], None]) -> None:
        self._store.beginPaint(region)
        painter = QPainter(self._store.paintDevice())
        paint(painter, region)
        painter.end()
        self._store.endPaint()

    def _paint_scene(self, painter: QPainter, region: QRegion) -> None:
        """In physical pixels, so that the picture is never resampled."""
        across, down = self._ratio()
        painter.scale(1 / across, 1 / down)
        physical = self._physical(region)
        painter.setClipRegion(physical)
        self.brush.paint(painter, self._image, self.scene, physical)

    def _send(self, region: QRegion) -> None:
        self._store.flush(region)
        if self._unsent and self._controls:
            self._unsent = False
            self._controls.on_painted(self)

    def exposeEvent(self, event: QExposeEvent) -> None:
        """The system shows the window, or a part of it that was covered."""
        if not self.isExposed() or self._frozen is None:
            return
        self._paint()
        self._send(self._whole() if self._unsent else event.region())

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Only where the system has a mind of its own about full-screen windows."""
        self._store.resize(self.size())
        self._unpainted = self._whole()
        self.requestUpdate()

    def event(self, event: QEvent) -> bool:
        """Qt asks for the next picture this way."""
        if event.type() == QEvent.Type.UpdateRequest:
            self._paint()
            return True
        return super().event(event)

    # What people do

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._controls:
            pressed = bool(event.buttons() & Qt.MouseButton.LeftButton)
            self._controls.on_move(self.to_pixel(event.position()), pressed=pressed)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._controls:
            self._controls.on_press(self.to_pixel(event.position()), event.button())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._controls:
            self._controls.on_release(self.to_pixel(event.position()), event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._controls and event.button() == Qt.MouseButton.LeftButton:
            self._controls.on_double_click(self.to_pixel(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._controls:
            self._controls.on_key(event, down=True)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if self._controls:
            self._controls.on_key(event, down=False)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hidden by the selector, which keeps the window."""
        event.ignore()
        if self._controls:
            self._controls.on_closed()


def _scaled(region: QRegion, across: float, down: float) -> QRegion:
    """Whole pixels that cover the scaled region."""
    scaled = QRegion()
    for part in rects(region):
        left, top = math.floor(part.x() * across + _ROUNDING), math.floor(part.y() * down + _ROUNDING)
        right = math.ceil((part.x() + part.width()) * across - _ROUNDING)
        bottom = math.ceil((part.y() + part.height()) * down - _ROUNDING)
        scaled = scaled.united(QRect(left, top, right - left, bottom - top))
    return scaled
