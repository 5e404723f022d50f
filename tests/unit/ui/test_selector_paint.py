"""The overlay's pixels, painted into a picture instead of a window."""

from __future__ import annotations

import os
import random

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QRegion
from PySide6.QtWidgets import QApplication

from seedshot_desktop.ui.selector_model import SelectorModel
from seedshot_desktop.ui.selector_paint import Brush
from seedshot_desktop.ui.selector_scene import Scene, compose
from seedshot_desktop.ui.selector_values import Box

WIDTH, HEIGHT = 900, 620
SCREEN = Box(0, 0, WIDTH, HEIGHT)


@pytest.fixture(scope="module", autouse=True)
def app() -> QGuiApplication:
    """Fonts need an application; it draws on no display."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QGuiApplication.instance() or QApplication([])  # type: ignore[return-value]  # never a core application here


@pytest.fixture(scope="module")
def frozen() -> QImage:
    """Noise: every wrong pixel shows."""
    pixels = random.Random(5).randbytes(WIDTH * HEIGHT * 4)
    return QImage(pixels, WIDTH, HEIGHT, WIDTH * 4, QImage.Format.Format_RGB32).copy()


def paint(canvas: QImage, brush: Brush, frozen: QImage, scene: Scene, region: QRegion) -> None:
    painter = QPainter(canvas)
    painter.setClipRegion(region)
    brush.paint(painter, frozen, scene, region)
    painter.end()


def painted(brush: Brush, frozen: QImage, scene: Scene) -> QImage:
    canvas = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    paint(canvas, brush, frozen, scene, QRegion(canvas.rect()))
    return canvas


def selecting(*boxes: tuple[int, int, int, int]) -> SelectorModel:
    selector = SelectorModel([SCREEN])
    for left, top, right, bottom in boxes:
        selector.press((left, top))
        selector.release((right, bottom), keep=True)
    return selector


def test_the_selection_is_shown_as_it_is_and_the_rest_dimmed(frozen: QImage) -> None:
    scene = Scene(selection=Box(100, 80, 300, 200))
    shown = painted(Brush(1.0), frozen, scene)
    inside = scene.selection
    assert inside
    for x, y in [(100, 80), (399, 80), (100, 279), (399, 279), (250, 150)]:
        assert shown.pixelColor(x, y) == frozen.pixelColor(x, y)
    for x, y in [(0, 0), (97, 80), (402, 279), (899, 619)]:
        was, now = frozen.pixelColor(x, y), shown.pixelColor(x, y)
        assert abs(now.green() - round(was.green() * 135 / 255)) <= 2


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_repainting_what_changed_is_as_good_as_painting_all(frozen: QImage, scale: float) -> None:
    brush, dice = Brush(scale), random.Random(11)
    selector = SelectorModel([SCREEN])
    scene = compose(selector, SCREEN, brush.measures, keep=False)
    canvas = painted(brush, frozen, scene)
    for step in range(60):
        point = (dice.randrange(WIDTH), dice.randrange(HEIGHT))
        what = [selector.move, selector.press, selector.drag, selector.drag][step % 4] if step % 9 else selector.move
        what(point)
        if step % 8 == 7:
            selector.release(point, keep=True)
        before, scene = scene, compose(selector, SCREEN, brush.measures, keep=step % 5 == 0)
        paint(canvas, brush, frozen, scene, brush.changed(before, scene, frozen))
        assert canvas == painted(brush, frozen, scene), f"after step {step}"


def test_a_scene_that_did_not_change_needs_no_paint(frozen: QImage) -> None:
    brush = Brush(1.0)
    scene = compose(selecting((50, 50, 300, 200)), SCREEN, brush.measures, keep=False)
    assert brush.changed(scene, scene, frozen).isEmpty()


def test_a_small_step_repaints_little(frozen: QImage) -> None:
    """What is drawn anew at each move of the mouse must not grow with the selection."""
    brush, selector = Brush(1.0), SelectorModel([SCREEN])
    selector.press((50, 50))
    selector.drag((700, 400))
    before = compose(selector, SCREEN, brush.measures, keep=False)
    selector.drag((701, 401))
    changed = brush.changed(before, compose(selector, SCREEN, brush.measures, keep=False), frozen)
    pixels = sum(part.width() * part.height() for part in list(changed))  # type: ignore[call-overload]
    assert pixels < 80_000
    assert pixels < 650 * 350 / 2


def test_the_magnifier_enlarges_the_pixel_that_is_pointed_at(frozen: QImage) -> None:
    brush, selector = Brush(1.0), SelectorModel([SCREEN])
    selector.move((200, 200))
    scene = compose(selector, SCREEN, brush.measures, keep=False)
    assert scene.magnifier
    shown = painted(brush, frozen, scene)
    middle = scene.magnifier.x + 60, scene.magnifier.y + 60
    assert shown.pixelColor(*middle) == frozen.pixelColor(200, 200)
    right = shown.pixelColor(middle[0] + 16, middle[1])
    assert right == frozen.pixelColor(202, 200)


def test_the_magnifier_at_the_edge_shows_nothing_beyond(frozen: QImage) -> None:
    brush, selector = Brush(1.0), SelectorModel([SCREEN])
    selector.move((0, 0))
    scene = compose(selector, SCREEN, brush.measures, keep=False)
    assert scene.magnifier
    shown = painted(brush, frozen, scene)
    assert shown.pixelColor(scene.magnifier.x + 60, scene.magnifier.y + 60) == frozen.pixelColor(0, 0)
    assert shown.pixelColor(scene.magnifier.x + 20, scene.magnifier.y + 20) == QColor("#16191d")
