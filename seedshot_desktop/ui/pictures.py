"""Thumbnails as pixmaps: fitted, with round corners, sharp at any scale."""

from __future__ import annotations

import functools

from PySide6.QtCore import QBuffer, QByteArray, QFileInfo, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QImage, QImageReader, QImageWriter, QPainter, QPixmap

THUMBNAIL_BOX = (640, 400)
"""Pixels that a thumbnail fits into: the large one of the shares window on a screen of scale 2."""


_READ_LIMIT = 64 * 1024 * 1024
"""Bytes of a picture file that are looked into for its thumbnail."""


def thumbnail_of(path: str) -> bytes:
    """A PNG of the picture in the file at `path`, or b"" where it is none; for a thread, it reads the disk."""
    if QFileInfo(path).size() > _READ_LIMIT:
        return b""
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if bytes(reader.format().data()).lower() not in _RASTER or not size.isValid():
        return b""
    if size.width() > THUMBNAIL_BOX[0] or size.height() > THUMBNAIL_BOX[1]:
        reader.setScaledSize(size.scaled(*THUMBNAIL_BOX, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    buffer = QBuffer()
    written = not image.isNull() and QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data()) if written else b""


_RASTER = {b"png", b"jpeg", b"jpg", b"webp", b"gif", b"bmp"}


@functools.lru_cache(maxsize=64)
def _decoded(data: bytes) -> QImage:
    return QImage.fromData(data)


@functools.lru_cache(maxsize=256)
def rounded(data: bytes, side: int, ratio: float = 1.0, radius: float = 4.0) -> QPixmap:
    """The middle of the picture as a square of `side` logical pixels, filled to its edges."""
    return _clipped(data, QSize(side, side), ratio, radius, Qt.AspectRatioMode.KeepAspectRatioByExpanding)


@functools.lru_cache(maxsize=64)
def fitted(data: bytes, width: int, height: int, ratio: float = 1.0, radius: float = 8.0) -> QPixmap:
    """The whole picture inside `width` x `height` logical pixels, never enlarged beyond its own."""
    image = _decoded(data)
    size = image.size().scaled(round(width * ratio), round(height * ratio), Qt.AspectRatioMode.KeepAspectRatio)
    size = size.boundedTo(image.size()) if image.width() < size.width() else size
    logical = QSize(max(1, round(size.width() / ratio)), max(1, round(size.height() / ratio)))
    return _clipped(data, logical, ratio, radius, Qt.AspectRatioMode.IgnoreAspectRatio)


def _clipped(data: bytes, size: QSize, ratio: float, radius: float, mode: Qt.AspectRatioMode) -> QPixmap:
    target = QPixmap(size * ratio)
    target.fill(Qt.GlobalColor.transparent)
    image = _decoded(data)
    if not image.isNull():
        scaled = image.scaled(target.size(), mode, Qt.TransformationMode.SmoothTransformation)
        _paint(target, scaled, radius * ratio)
    target.setDevicePixelRatio(ratio)
    return target


def _paint(target: QPixmap, image: QImage, radius: float) -> None:
    painter = QPainter(target)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    brush = QBrush(image)
    transform = brush.transform()
    transform.translate((target.width() - image.width()) / 2, (target.height() - image.height()) / 2)
    brush.setTransform(transform)
    painter.setBrush(brush)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(0, 0, target.width(), target.height()), radius, radius)
    painter.end()
