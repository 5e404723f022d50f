"""The app's own icons: SVG from resources/icons, drawn in any colour, at any scale.

Not read by a QImageReader from a QBuffer of ours: Qt asks that device under a
lock, PySide takes the interpreter's lock for the answer, and a thread that
holds the one and makes a reader of its own stands still, and the app with it.
"""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = (_PACKAGE / "icons", _PACKAGE.parent / "resources" / "icons")  # an installed wheel, a checkout
_TRAY_SIZES = (16, 20, 22, 24, 32, 44, 48, 64)
_LOGO_SIZES = (16, 24, 32, 48, 64, 128, 256)


@functools.cache
def path(name: str) -> Path:
    """The file of the icon `name`."""
    found = next((file for folder in _FOLDERS if (file := folder / f"{name}.svg").is_file()), None)
    if found is None:
        raise FileNotFoundError(f"the icon {name} is not part of this installation")
    return found


@functools.lru_cache(maxsize=512)
def pixmap(name: str, colour: str = "", side: int = 20, ratio: float = 1.0) -> QPixmap:
    """The icon `name`, square, `side` logical pixels on a screen of that `ratio`, its lines in `colour` (#rrggbb)."""
    data = path(name).read_bytes().replace(b"currentColor", colour.encode() or b"#000000")
    physical = round(side * ratio)
    drawn = QPixmap(physical, physical)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(data)).render(painter, QRectF(0, 0, physical, physical))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


class _LineEngine(QIconEngine):
    """Draws a line icon when it is needed, at the size and scale that are needed."""

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._name, self._colour, self._disabled = name, colour, disabled

    def clone(self) -> QIconEngine:
        return _LineEngine(self._name, self._colour, self._disabled)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        painter.drawPixmap(rect, self.scaledPixmap(rect.size(), mode, state, painter.device().devicePixelRatioF()))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float) -> QPixmap:
        """`size` is in logical pixels. Square and to the left: a wider size leaves a gap before a button's words."""
        colour = self._disabled if mode == QIcon.Mode.Disabled else self._colour
        drawn = pixmap(self._name, colour, min(size.width(), size.height()), scale)
        if size.width() <= size.height():
            return drawn
        wide = QPixmap(size * scale)
        wide.fill(Qt.GlobalColor.transparent)
        wide.setDevicePixelRatio(scale)
        painter = QPainter(wide)
        painter.drawPixmap(0, 0, drawn)
        painter.end()
        return wide


@functools.lru_cache(maxsize=256)
def icon(name: str, colour: str, disabled: str = "") -> QIcon:
    """A line icon in `colour`, and in `disabled` where it cannot be used."""
    return QIcon(_LineEngine(name, colour, disabled or colour))


def tray_icon(name: str) -> QIcon:
    """One of the tray's icons, which bring their own background and so suit light and dark panels."""
    return _coloured(name, _TRAY_SIZES)


def logo() -> QIcon:
    """The app's own icon."""
    return _coloured("seedshot", _LOGO_SIZES)


@functools.cache
def _coloured(name: str, sides: tuple[int, ...]) -> QIcon:
    made = QIcon()
    for side in sides:
        made.addPixmap(pixmap(name, "", side))
    return made
