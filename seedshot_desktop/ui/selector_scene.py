"""What stands where on one monitor of the overlay (pure): boxes and words, no drawing.

All boxes are in physical pixels of the monitor's own picture, from its top left corner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seedshot_desktop.ui.selector_model import Phase, Point, SelectorModel
from seedshot_desktop.ui.selector_values import Box

ZOOM = 8
"""How many times the magnifier enlarges, before the screen's own scale."""
ZOOMED = 15
"""Pixels that it shows in a row; odd, so that one is in the middle."""
_GAP = 20
_MARGIN = 28

Words = tuple[tuple[str, str], ...]
"""Pieces of a hint: (key, what it does); a piece without a key is plain text."""

_AIMING: Words = (("Drag", "a region"), ("Enter", "this screen"), ("← ↑ ↓ →", "nudge"), ("Esc", "leave"))
_DRAWING: Words = (("Release", "to share"), ("Space", "move"), ("Ctrl", "adjust first"), ("Esc", "leave"))
_KEEPING: Words = (("Release", "to adjust"), ("Space", "move"), ("Esc", "leave"))
_ADJUSTING: Words = (("Enter", "share"), ("← ↑ ↓ →", "move"), ("Shift", "+ arrows resize"), ("Esc", "leave"))


@dataclass(frozen=True)
class Measures:
    """Sizes of what is made of text, in physical pixels: only Qt knows them."""

    scale: float
    """Physical pixels for one logical pixel."""
    label: tuple[int, int]
    hint: tuple[int, int]
    button: tuple[int, int]
    caption: int
    """Height of the line under the magnifier."""


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn on one monitor; equal scenes look the same."""

    selection: Box | None = None
    """Its visible part; shown undimmed."""
    handles: bool = False
    cross: Point | None = None
    """The pixel that is pointed at, when lines through it are shown."""
    label: Box | None = None
    label_text: str = ""
    magnifier: Box | None = None
    magnified: Point = (0, 0)
    """The pixel in its middle."""
    coordinates: Point = (0, 0)
    """That pixel's place in the virtual desktop."""
    hint: Box | None = None
    words: Words = ()
    button: Box | None = None


def size_text(box: Box | None) -> str:
    """The selection's size as people read it."""
    return f"{box.width} × {box.height}" if box else ""


def hint_words(phase: Phase, keep: bool) -> Words:
    """What can be done now."""
    if phase is Phase.AIMING:
        return _AIMING
    if phase is Phase.DRAWING:
        return _KEEPING if keep else _DRAWING
    return _ADJUSTING


def compose(model: SelectorModel, screen: Box, measure: Callable[[Words, str], Measures], keep: bool) -> Scene:
    """The scene of `screen`; only the monitor under the pointer carries the pointer's tools.

    `measure` tells how large a hint and a label become; `keep` says that releasing keeps the selection.
    """
    words, text = hint_words(model.phase, keep), size_text(model.box)
    measures = measure(words, text)
    here = model.screen == screen
    pointer = (model.pointer[0] - screen.x, model.pointer[1] - screen.y)
    selection = _local(model.box, screen)
    drawing = model.phase in (Phase.AIMING, Phase.DRAWING)
    scene = Scene(selection=_clipped(selection, screen), handles=not drawing)
    if here and (drawing or model.phase is Phase.STRETCHING):
        scene = replace(scene, magnifier=_magnifier(pointer, selection, screen, measures))
        scene = replace(scene, magnified=pointer, coordinates=model.pointer)
    if here and model.phase is Phase.AIMING:
        scene = replace(scene, cross=pointer)
    if here:
        scene = replace(scene, hint=_hint(pointer, screen, measures), words=words)
    if selection and scene.selection and _owns_corner(selection, screen, here):
        scene = replace(scene, label_text=text, label=_label(scene, screen, measures))
    if selection and model.phase is Phase.ADJUSTING and scene.selection and here:
        scene = replace(scene, button=_button(scene, screen, measures))
    return scene


def _local(box: Box | None, screen: Box) -> Box | None:
    return replace(box, x=box.x - screen.x, y=box.y - screen.y) if box else None


def _clipped(box: Box | None, screen: Box) -> Box | None:
    """The part of a local `box` that the screen shows."""
    if box is None:
        return None
    x, y = max(0, box.x), max(0, box.y)
    width, height = min(screen.width, box.right) - x, min(screen.height, box.bottom) - y
    return Box(x, y, width, height) if width > 0 and height > 0 else None


def _owns_corner(selection: Box, screen: Box, here: bool) -> bool:
    """The size stands on one monitor only: the one with the top left corner, or the pointer's if none has it."""
    inside = Box(0, 0, screen.width, screen.height)
    return inside.contains((selection.x, selection.y)) or here


def _magnifier(pointer: Point, selection: Box | None, screen: Box, measures: Measures) -> Box:
    """Beyond the pointer as seen from the selection; on the other side where the screen ends."""
    side = round(ZOOM * measures.scale) * ZOOMED
    gap, height = round(_GAP * measures.scale), side + measures.caption
    left = selection is not None and pointer[0] <= selection.x < selection.right - 1
    above = selection is not None and pointer[1] <= selection.y < selection.bottom - 1
    x = _beside(pointer[0], side, gap, screen.width, before=left)
    y = _beside(pointer[1], height, gap, screen.height, before=above)
    return Box(x, y, side, height)


def _beside(at: int, length: int, gap: int, limit: int, *, before: bool) -> int:
    """Where something of that length begins, `gap` before or after `at`, whichever fits."""
    lower, upper = at - gap - length, at + gap
    if before:
        return lower if lower >= 0 else upper
    return upper if upper + length <= limit else lower


def _label(scene: Scene, screen: Box, measures: Measures) -> Box:
    """Above the top left corner, below the bottom left one, beside it, or inside: the first that is free."""
    assert scene.selection is not None
    (width, height), gap = measures.label, round(8 * measures.scale)
    box = scene.selection
    x = min(max(box.x, gap), screen.width - width - gap)
    y = min(max(box.y, gap), screen.height - height - gap)
    places = [(x, box.y - height - gap), (x, box.bottom + gap), (box.right + gap, y), (box.x - width - gap, y)]
    if scene.magnifier is not None:
        places += [(x, scene.magnifier.bottom + gap), (x, scene.magnifier.y - height - gap)]
    inside = Box(x, box.y + gap, width, height)
    boxes = [Box(left, top, width, height) for left, top in places]
    return _first_free(boxes, inside, scene, screen, [scene.magnifier, scene.hint])


def _button(scene: Scene, screen: Box, measures: Measures) -> Box:
    """Below the bottom right corner, above the top right one, beside it, or inside: the first that is free."""
    assert scene.selection is not None
    (width, height), gap = measures.button, round(10 * measures.scale)
    box = scene.selection
    x = min(max(box.right - width, gap), screen.width - width - gap)
    y = min(max(box.bottom - height, gap), screen.height - height - gap)
    places = [(x, box.bottom + gap), (x, box.y - height - gap), (box.x - width - gap, y), (box.right + gap, y)]
    if scene.label is not None:
        places += [(x, scene.label.bottom + gap), (x, scene.label.y - height - gap)]
    inside = Box(x, box.bottom - height - gap, width, height)
    boxes = [Box(left, top, width, height) for left, top in places]
    return _first_free(boxes, inside, scene, screen, [scene.label, scene.hint])


def _first_free(boxes: list[Box], inside: Box, scene: Scene, screen: Box, taken: list[Box | None]) -> Box:
    """The first of `boxes` on the screen that meets neither the selection nor what is `taken`; else `inside`."""
    outside = [*taken, scene.selection]
    free = [box for box in boxes if _kept(box, screen) == box and not any(_meet(box, other) for other in outside)]
    return free[0] if free else _kept(inside, screen)


def _hint(pointer: Point, screen: Box, measures: Measures) -> Box:
    """At the bottom in the middle, or at the top while the pointer is near the bottom."""
    width, height = measures.hint
    margin = round(_MARGIN * measures.scale)
    below = Box((screen.width - width) // 2, screen.height - height - margin, width, height)
    near = below.grown(round(160 * measures.scale)).contains(pointer)
    return replace(below, y=margin) if near else below


def _kept(box: Box, screen: Box) -> Box:
    return box.kept_inside(Box(0, 0, screen.width, screen.height))


def _meet(a: Box, b: Box | None) -> bool:
    return b is not None and a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom
