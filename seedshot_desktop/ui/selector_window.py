"""The overlay's window on one monitor: Qt's events in, repaints of what changed out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QScreen,
)
from PySide6.QtWidgets import QWidget

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


class SelectorWindow(QWidget):
    """Shows one frozen screen, on the screen that it was taken of."""

    def __init__(
        self, frozen: FrozenScreen, screen: QScreen, controls: Controls, on_painted: Callable[[SelectorWindow], None]
    ) -> None:
        super().__init__(None, _flags())
        self.frozen = frozen
        self._controls = controls
        self._on_painted = on_painted
        self.scene = Scene()
        """What stands there now."""
        self.brush = Brush(frozen.width / max(1, screen.geometry().width()))
        # No copy: the image reads the frame's own bytes, which `frozen` keeps alive.
        size = (frozen.width, frozen.height, frozen.width * 4)
        self.image = QImage(frozen.pixels, *size, QImage.Format.Format_RGB32)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, QGuiApplication.platformName() == "xcb")
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setWindowTitle("Select a region")
        self.setAccessibleName("Select a region of the screen; Enter takes the whole screen, Escape leaves")
        self.setScreen(screen)
        self.setGeometry(screen.geometry())

    def appear(self, scene: Scene) -> None:
        """Show the window with `scene` on it."""
        self.scene = scene
        if QGuiApplication.platformName().startswith("wayland"):
            self.showFullScreen()  # a Wayland client cannot choose its place, only its output
        else:
            self.show()

    def draw(self, scene: Scene) -> None:
        """Show `scene` from now on; repaints only where it differs."""
        before, self.scene = self.scene, scene
        changed = self.brush.changed(before, scene, self.image)
        if not changed.isEmpty():
            self.update(self._logical(changed))

    def point_to(self, grip: Grip, phase: Phase, *, hand: bool) -> None:
        """The cursor for what a press would do; `hand` over a button."""
        shape = Qt.CursorShape.CrossCursor if phase in (Phase.AIMING, Phase.DRAWING) else _CURSORS[grip]
        shape = Qt.CursorShape.PointingHandCursor if hand else shape
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def _ratio(self) -> tuple[float, float]:
        """Physical pixels for a logical one.

        What Qt says, as long as the picture bears it out: under Wayland Qt rounds
        1.5 to 2, and then only the picture's size is true.
        """
        ratio = self.devicePixelRatioF()
        if abs(self.frozen.width / ratio - self.width()) < 1 and abs(self.frozen.height / ratio - self.height()) < 1:
            return ratio, ratio
        return self.frozen.width / max(1, self.width()), self.frozen.height / max(1, self.height())

    def to_pixel(self, position: QPointF) -> Point:
        """The physical pixel of the virtual desktop under a position in this window."""
        across, down = self._ratio()
        x, y = math.floor(position.x() * across + _ROUNDING), math.floor(position.y() * down + _ROUNDING)
        return self.frozen.x + x, self.frozen.y + y

    def _logical(self, region: QRegion) -> QRegion:
        """Rectangles of this window that cover the physical `region`."""
        across, down = self._ratio()
        logical = QRegion()
        for part in rects(region):
            left, top = math.floor(part.x() / across), math.floor(part.y() / down)
            right, bottom = math.ceil((part.x() + part.width()) / across), math.ceil((part.y() + part.height()) / down)
            logical = logical.united(QRect(left, top, right - left, bottom - top))
        return logical

    def _physical(self, region: QRegion) -> QRegion:
        """The physical pixels that the logical `region` touches; each of them once."""
        across, down = self._ratio()
        physical = QRegion()
        for part in rects(region):
            left, top = math.floor(part.x() * across), math.floor(part.y() * down)
            right, bottom = math.ceil((part.x() + part.width()) * across), math.ceil((part.y() + part.height()) * down)
            physical = physical.united(QRect(left, top, right - left, bottom - top))
        return physical.intersected(self.image.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt asks for a part of the window: drawn in physical pixels, so that the picture is never resampled."""
        painter = QPainter(self)
        across, down = self._ratio()
        painter.scale(1 / across, 1 / down)
        self.brush.paint(painter, self.image, self.scene, self._physical(event.region()))
        painter.end()
        self._on_painted(self)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pressed = bool(event.buttons() & Qt.MouseButton.LeftButton)
        self._controls.on_move(self.to_pixel(event.position()), pressed=pressed)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._controls.on_press(self.to_pixel(event.position()), event.button())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._controls.on_release(self.to_pixel(event.position()), event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._controls.on_double_click(self.to_pixel(event.position()))
        else:
            self._controls.on_press(self.to_pixel(event.position()), event.button())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._controls.on_key(event, down=True)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._controls.on_key(event, down=False)

    def focusNextPrevChild(self, _next: bool) -> bool:
        """Tab has nowhere to go here."""
        return False

    def event(self, event: QEvent) -> bool:
        """Every key comes here, also those that Qt would keep for shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._controls.on_closed()
        super().closeEvent(event)
