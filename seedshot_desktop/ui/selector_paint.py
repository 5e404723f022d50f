"""Draws a scene of the overlay with QPainter, in physical pixels."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QRegion

from seedshot_desktop.ui.selector_model import HANDLES, Grip, handle_point
from seedshot_desktop.ui.selector_scene import ZOOM, ZOOMED, Measures, Scene, Words
from seedshot_desktop.ui.selector_values import Box

_DIM = QColor(0, 0, 0, 120)
_ACCENT = QColor("#22a559")
_BUTTON = QColor("#15803d")
_PANEL = QColor(22, 25, 29, 238)
_PANEL_EDGE = QColor(255, 255, 255, 36)
_TEXT = QColor("#f4f5f6")
_MUTED = QColor("#b4bac2")
_KEY = QColor(255, 255, 255, 26)
_KEY_EDGE = QColor(255, 255, 255, 56)
_WHITE = QColor(255, 255, 255)
_SHADE = QColor(0, 0, 0, 130)
_CROSS = QColor(255, 255, 255, 120)
_GRID = QColor(0, 0, 0, 36)
_SHARE = "Share"
_ROOM_FOR_MIDDLE = 36
"""Logical pixels of an edge whose middle has a handle too; between the corners of a shorter one it would hide it."""


def rect(box: Box) -> QRect:
    """The same box in Qt's words."""
    return QRect(box.x, box.y, box.width, box.height)


def rects(region: QRegion) -> list[QRect]:
    """The rectangles that a region is made of; none overlaps another."""
    parts: list[QRect] = list(region)  # type: ignore[call-overload]  # iterable, but its stub does not say so
    return parts


class Brush:
    """Draws at one scale: fonts are made and measured once."""

    def __init__(self, scale: float) -> None:
        """`scale`: physical pixels for one logical pixel."""
        self.scale = scale
        self._font = self._make_font(13)
        self._bold = self._make_font(13, QFont.Weight.DemiBold)
        self._small = self._make_font(11)
        self._measured: dict[tuple[Words, str], Measures] = {}

    def _make_font(self, size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont()
        font.setPixelSize(self.px(size))
        font.setWeight(weight)
        return font

    def px(self, logical: float) -> int:
        """Logical pixels as physical ones, at least one."""
        return max(1, round(logical * self.scale))

    def measures(self, words: Words, label: str) -> Measures:
        """How large the texts of a scene will be."""
        if len(self._measured) > 500:
            self._measured.clear()
        measures = self._measured.get((words, label))
        if measures is None:
            measures = self._measured[words, label] = self._measure(words, label)
        return measures

    def _measure(self, words: Words, label: str) -> Measures:
        bold, small = QFontMetrics(self._bold), QFontMetrics(self._small)
        return Measures(
            scale=self.scale,
            label=(bold.horizontalAdvance(label) + self.px(20), bold.height() + self.px(8)),
            hint=(self._hint_layout(words)[1], QFontMetrics(self._font).height() + self.px(22)),
            button=(bold.horizontalAdvance(_SHARE) + self.px(36), bold.height() + self.px(14)),
            caption=small.height() + self.px(10),
        )

    def _hint_layout(self, words: Words) -> tuple[list[tuple[int, int, int]], int]:
        """For each piece where its key begins, how wide the key is, and where its text begins; and the whole width."""
        metrics = QFontMetrics(self._font)
        x, pieces = self.px(14), []
        for key, text in words:
            width = metrics.horizontalAdvance(key) + self.px(14)
            pieces.append((x, width, x + width + self.px(7)))
            x += width + self.px(7) + metrics.horizontalAdvance(text) + self.px(18)
        return pieces, x - self.px(4)

    # The picture

    def paint(self, painter: QPainter, image: QImage, scene: Scene, region: QRegion) -> None:
        """Everything inside `region`: first the frozen picture, then what stands on it."""
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for part in rects(region):
            painter.drawImage(part.topLeft(), image, part)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        shown = QRegion(rect(scene.selection)) if scene.selection else QRegion()
        for part in rects(region.subtracted(shown)):
            painter.fillRect(part, _DIM)
        for bounds, draw in self.layers(scene, image).values():
            if region.intersects(bounds):
                draw(painter)

    def layers(self, scene: Scene, image: QImage) -> dict[str, tuple[QRect | QRegion, Callable[[QPainter], None]]]:
        """What stands on the picture, from back to front: where, and how it is drawn."""
        layers: dict[str, tuple[QRect | QRegion, Callable[[QPainter], None]]] = {}
        if scene.cross:
            layers["cross"] = (self._cross(scene, image), lambda p: self._draw_cross(p, scene, image))
        if scene.selection:
            layers["frame"] = (self._frame(scene.selection, scene.handles), lambda p: self._draw_frame(p, scene))
        if scene.label:
            layers["label"] = (self._outer(scene.label), lambda p: self._draw_label(p, scene))
        if scene.button:
            layers["button"] = (self._outer(scene.button), lambda p: self._draw_button(p, scene))
        if scene.hint:
            layers["hint"] = (self._outer(scene.hint), lambda p: self._draw_hint(p, scene))
        if scene.magnifier:
            layers["magnifier"] = (self._outer(scene.magnifier), lambda p: self._draw_magnifier(p, scene, image))
        return layers

    def changed(self, before: Scene, after: Scene, image: QImage) -> QRegion:
        """Where the two scenes may look different."""
        old, new = before.selection, after.selection
        region = QRegion(rect(old) if old else QRect()).xored(QRegion(rect(new) if new else QRect()))
        if before == after:
            return region
        for scene in (before, after):
            for bounds, _ in self.layers(scene, image).values():
                region = region.united(bounds)
        return region

    def _outer(self, box: Box) -> QRect:
        """With the room that edges and smoothing take."""
        return rect(box).adjusted(-2, -2, 2, 2)

    def _cross(self, scene: Scene, image: QImage) -> QRegion:
        x, y = scene.cross or (0, 0)
        width = self.px(1)
        upright, level = QRect(x - width // 2, 0, width, image.height()), QRect(0, y - width // 2, image.width(), width)
        return QRegion(upright).united(level)

    def _frame(self, selection: Box, handles: bool) -> QRegion:
        """The frame's own strips, so that the inside need not be drawn again."""
        by = self.px(7) if handles else self.px(2) + 1
        outer, inner = rect(selection).adjusted(-by, -by, by, by), rect(selection).adjusted(by, by, -by, -by)
        return QRegion(outer).subtracted(QRegion(inner)) if inner.isValid() else QRegion(outer)

    def _draw_cross(self, painter: QPainter, scene: Scene, image: QImage) -> None:
        for part in rects(self._cross(scene, image)):
            painter.fillRect(part, _CROSS)

    def _draw_frame(self, painter: QPainter, scene: Scene) -> None:
        """A white line just outside of the selection, so that it hides none of its pixels, and a dark one around."""
        if scene.selection is None:
            return
        line = self.px(1)
        inner = rect(scene.selection)
        middle = inner.adjusted(-line, -line, line, line)
        outer = middle.adjusted(-line, -line, line, line)
        for part in rects(QRegion(outer).subtracted(QRegion(middle))):
            painter.fillRect(part, _SHADE)
        for part in rects(QRegion(middle).subtracted(QRegion(inner))):
            painter.fillRect(part, _WHITE)
        if scene.handles:
            self._draw_handles(painter, scene.selection)

    def _draw_handles(self, painter: QPainter, selection: Box) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_ACCENT, self.px(2)))
        painter.setBrush(_WHITE)
        radius = 4.5 * self.scale
        room = self.px(_ROOM_FOR_MIDDLE)
        lengths = dict.fromkeys((Grip.TOP, Grip.BOTTOM), selection.width)
        lengths |= dict.fromkeys((Grip.LEFT, Grip.RIGHT), selection.height)
        for grip in HANDLES:
            if lengths.get(grip, room) >= room:
                painter.drawEllipse(QPointF(*handle_point(selection, grip)), radius, radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _panel(self, painter: QPainter, box: Box, radius: float, fill: QColor = _PANEL) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_PANEL_EDGE, self.scale))
        painter.setBrush(fill)
        half = self.scale / 2
        inner = QRectF(rect(box)).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(inner, radius * self.scale, radius * self.scale)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _text(self, painter: QPainter, area: QRect, text: str, font: QFont, colour: QColor) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), text)

    def _draw_label(self, painter: QPainter, scene: Scene) -> None:
        if scene.label:
            self._panel(painter, scene.label, 6)
            self._text(painter, rect(scene.label), scene.label_text, self._bold, _TEXT)

    def _draw_button(self, painter: QPainter, scene: Scene) -> None:
        if scene.button:
            self._panel(painter, scene.button, 7, _BUTTON)
            self._text(painter, rect(scene.button), _SHARE, self._bold, _WHITE)

    def _draw_hint(self, painter: QPainter, scene: Scene) -> None:
        if scene.hint is None:
            return
        self._panel(painter, scene.hint, 10)
        metrics = QFontMetrics(self._font)
        pieces, _ = self._hint_layout(scene.words)
        height = metrics.height() + self.px(6)
        y = scene.hint.y + (scene.hint.height - height) // 2
        for (key, text), (start, width, text_start) in zip(scene.words, pieces, strict=True):
            cap = Box(scene.hint.x + start, y, width, height)
            self._draw_key(painter, cap, key)
            area = QRect(scene.hint.x + text_start, y, metrics.horizontalAdvance(text) + 2, height)
            self._text(painter, area, text, self._font, _MUTED)

    def _draw_key(self, painter: QPainter, cap: Box, key: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_KEY_EDGE, self.scale))
        painter.setBrush(_KEY)
        half = self.scale / 2
        area = QRectF(rect(cap)).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(area, 5 * self.scale, 5 * self.scale)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        self._text(painter, rect(cap), key, self._font, _TEXT)

    def _draw_magnifier(self, painter: QPainter, scene: Scene, image: QImage) -> None:
        if scene.magnifier is None:
            return
        box = rect(scene.magnifier)
        zoom = round(ZOOM * self.scale)
        side = zoom * ZOOMED
        view = QRect(box.x(), box.y(), side, side)
        painter.fillRect(view, QColor("#16191d"))
        self._enlarge(painter, image, scene.magnified, view, zoom)
        self._draw_grid(painter, view, zoom)
        caption = QRect(box.x(), view.bottom() + 1, side, box.height() - side)
        painter.fillRect(caption, _PANEL)
        self._draw_caption(painter, caption, scene, image)
        painter.setPen(QPen(_WHITE, self.px(1)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0, 0, -1, -1))

    def _enlarge(self, painter: QPainter, image: QImage, pixel: tuple[int, int], view: QRect, zoom: int) -> None:
        """The pixels around `pixel`; beyond the picture's edge stays dark."""
        half = ZOOMED // 2
        source = QRect(pixel[0] - half, pixel[1] - half, ZOOMED, ZOOMED)
        there = source.intersected(image.rect())
        x, y = view.x() + (there.x() - source.x()) * zoom, view.y() + (there.y() - source.y()) * zoom
        painter.drawImage(QRect(x, y, there.width() * zoom, there.height() * zoom), image, there)

    def _draw_grid(self, painter: QPainter, view: QRect, zoom: int) -> None:
        for index in range(1, ZOOMED):
            painter.fillRect(QRect(view.x() + index * zoom, view.y(), 1, view.height()), _GRID)
            painter.fillRect(QRect(view.x(), view.y() + index * zoom, view.width(), 1), _GRID)
        middle = ZOOMED // 2 * zoom
        pixel = QRect(view.x() + middle, view.y() + middle, zoom, zoom)
        line = self.px(1)
        for colour, by in ((_WHITE, line), (_SHADE, 2 * line)):
            painter.setPen(QPen(colour, line))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(pixel.adjusted(-by, -by, by - 1, by - 1))

    def _draw_caption(self, painter: QPainter, area: QRect, scene: Scene, image: QImage) -> None:
        """The pixel's place and its colour."""
        swatch = self.px(10)
        x, y = area.right() - self.px(7) - swatch, area.y() + (area.height() - swatch) // 2
        painter.fillRect(QRect(x - 1, y - 1, swatch + 2, swatch + 2), _KEY_EDGE)
        if image.rect().contains(*scene.magnified):
            painter.fillRect(QRect(x, y, swatch, swatch), image.pixelColor(*scene.magnified))
        painter.setFont(self._small)
        painter.setPen(_TEXT)
        alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area.adjusted(self.px(8), 0, 0, 0), int(alignment), "{}, {}".format(*scene.coordinates))
