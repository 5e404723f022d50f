"""What the pointer and the keys do to a selection (pure): no Qt, no pixels, no clock.

Everything is in physical pixels of the virtual desktop. A point is a pixel, and
both the pixel under the first press and the one under the release belong to the
selection, so that every pixel up to the desktop's last can be chosen.

The life of a selection::

    AIMING ── press ──► DRAWING ── release ──────────────► taken
      ▲                    │ └───── release, keep held ──► ADJUSTING ── confirm ──► taken
      └──── a mere click ──┘                                  │ ▲
                                                    STRETCHING or MOVING while pressed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, Flag

from seedshot_desktop.ui.selector_values import Box


class Phase(Enum):
    """Where the selection stands."""

    AIMING = "aiming"
    """Nothing is selected yet."""
    DRAWING = "drawing"
    """The button is down and a corner follows the pointer."""
    ADJUSTING = "adjusting"
    """The selection is there, with its handles, and waits to be confirmed."""
    STRETCHING = "stretching"
    """A handle follows the pointer."""
    MOVING = "moving"
    """The whole selection follows the pointer."""
    TAKEN = "taken"
    LEFT = "left"
    """Given up: nothing is taken."""


class Grip(Flag):
    """The edges that follow the pointer; all four together move the selection."""

    NONE = 0
    LEFT = 1
    TOP = 2
    RIGHT = 4
    BOTTOM = 8
    ALL = 15


HANDLES = (
    Grip.LEFT | Grip.TOP,
    Grip.TOP,
    Grip.RIGHT | Grip.TOP,
    Grip.RIGHT,
    Grip.RIGHT | Grip.BOTTOM,
    Grip.BOTTOM,
    Grip.LEFT | Grip.BOTTOM,
    Grip.LEFT,
)
"""Clockwise from the top left corner."""

Point = tuple[int, int]


def handle_point(box: Box, grip: Grip) -> Point:
    """Where the handle sits on the edge of `box`."""
    x = box.x if Grip.LEFT in grip else box.right if Grip.RIGHT in grip else box.x + box.width // 2
    y = box.y if Grip.TOP in grip else box.bottom if Grip.BOTTOM in grip else box.y + box.height // 2
    return x, y


@dataclass(frozen=True)
class _Stretch:
    """Two corners, of which the second follows the pointer along the axes that are free."""

    anchor: Point
    corner: Point
    free_x: bool = True
    free_y: bool = True
    slack: Point = (0, 0)
    """From the corner to the pointer: nobody hits an edge exactly, and it must not jump."""

    def to(self, point: Point, within: Box) -> _Stretch:
        """With its free coordinates under the pointer at `point`."""
        x, y = within.nearest(_plus(point, -self.slack[0], -self.slack[1]))
        return replace(self, corner=(x if self.free_x else self.corner[0], y if self.free_y else self.corner[1]))

    def moved(self, dx: int, dy: int) -> _Stretch:
        """Both corners, elsewhere."""
        return replace(self, anchor=_plus(self.anchor, dx, dy), corner=_plus(self.corner, dx, dy))

    @property
    def box(self) -> Box:
        """What lies between the corners, both of them included."""
        return Box.between(self.anchor, self.corner)


class SelectorModel:
    """The selection and its phase; feed it what happens, then read ``phase``, ``box`` and ``pointer``."""

    def __init__(self, screens: Sequence[Box], *, reach: int = 8, click: int = 4) -> None:
        """Start without a selection.

        `screens` are the monitors. `reach` is how near to an edge a press takes
        hold of it, `click` how far the pointer may stray in a mere click; both in
        physical pixels.
        """
        self._screens = tuple(screens)
        self._desktop = Box.around(self._screens)
        self._reach, self._click = reach, click
        self._stretch: _Stretch | None = None
        self._nudged: Point = (0, 0)
        self._raw: Point = self._screens[0].centre
        self._pressed_at: Point | None = None
        self._strayed = False
        self._sliding = False
        self._grabbed_at: Point = (0, 0)
        self.phase = Phase.AIMING
        self.box: Box | None = None
        """The selection; None while there is none."""

    @property
    def pointer(self) -> Point:
        """The pixel that is pointed at: the mouse's, and what the arrow keys added."""
        return self._desktop.nearest(_plus(self._raw, *self._nudged))

    @property
    def screen(self) -> Box:
        """The monitor under the pointer."""
        return min(self._screens, key=lambda screen: screen.distance(self.pointer))

    @property
    def done(self) -> bool:
        """True once there is nothing more to do."""
        return self.phase in (Phase.TAKEN, Phase.LEFT)

    def grip_at(self, point: Point) -> Grip:
        """What a press at `point` would take hold of."""
        if self.box is None or self.phase is Phase.AIMING:
            return Grip.NONE
        corners = [grip for grip in HANDLES if _near(handle_point(self.box, grip), point, self._reach)]
        if corners:
            return corners[0]
        grip = self._edge_at(self.box, point)
        return grip or (Grip.ALL if self.box.contains(point) else Grip.NONE)

    def _edge_at(self, box: Box, point: Point) -> Grip:
        x, y = point
        if not box.grown(self._reach).contains(point):
            return Grip.NONE
        distances = {
            Grip.LEFT: abs(x - box.x),
            Grip.RIGHT: abs(x - box.right),
            Grip.TOP: abs(y - box.y),
            Grip.BOTTOM: abs(y - box.bottom),
        }
        grip = min(distances, key=distances.__getitem__)
        return grip if distances[grip] <= self._reach else Grip.NONE

    # What happens

    def move(self, point: Point) -> None:
        """The mouse is at `point`."""
        if self.phase is Phase.AIMING and _apart(point, self._raw) > 1:
            self._nudged = (0, 0)  # the arrow keys meant the place where the mouse rested
        before = self.pointer
        self._raw = point
        self._follow(before)

    def _follow(self, before: Point) -> None:
        """Bring what is held to the pointer."""
        if self._pressed_at and _apart(self.pointer, self._pressed_at) >= self._click:
            self._strayed = True
        if self.phase is Phase.MOVING and self.box:
            x, y = self.pointer[0] - self._grabbed_at[0], self.pointer[1] - self._grabbed_at[1]
            self.box = replace(self.box, x=x, y=y).kept_inside(self._desktop)
        elif self.phase in (Phase.DRAWING, Phase.STRETCHING) and self._stretch:
            self._stretch = self._slid(self._stretch, before) if self._sliding else self._drawn(self._stretch)
            self.box = self._stretch.box if self._strayed or self.phase is Phase.STRETCHING else None

    def _drawn(self, stretch: _Stretch) -> _Stretch:
        return stretch.to(self.pointer, self._desktop)

    def _slid(self, stretch: _Stretch, before: Point) -> _Stretch:
        """The whole rectangle moved as far as the pointer did, and not beyond the desktop."""
        wanted = stretch.moved(self.pointer[0] - before[0], self.pointer[1] - before[1]).box
        inside = wanted.kept_inside(self._desktop)
        box = stretch.box
        return stretch.moved(inside.x - box.x, inside.y - box.y)

    def press(self, point: Point) -> None:
        """The button goes down at `point`."""
        self.move(point)
        if self.done:
            return
        self._pressed_at, self._strayed, self._sliding = self.pointer, False, False
        grip = self.grip_at(self.pointer) if self.phase is Phase.ADJUSTING else Grip.NONE
        if grip is Grip.ALL and self.box:
            self.phase = Phase.MOVING
            self._grabbed_at = (self.pointer[0] - self.box.x, self.pointer[1] - self.box.y)
        elif grip and self.box:
            self.phase = Phase.STRETCHING
            self._stretch = _take_hold(self.box, grip, self.pointer)
        elif self.phase is not Phase.ADJUSTING:
            self._start_drawing()
        # A press beside a selection that is being adjusted starts anew only once it is dragged.

    def _start_drawing(self) -> None:
        self._stretch = _Stretch(self._pressed_at or self.pointer, self.pointer)
        self.phase, self.box = Phase.DRAWING, None

    def drag(self, point: Point) -> None:
        """The mouse is at `point` with the button down."""
        self.move(point)
        if self.phase is Phase.ADJUSTING and self._strayed:
            self._start_drawing()
            self._follow(self.pointer)

    def release(self, point: Point, *, keep: bool = False) -> None:
        """The button goes up at `point`: takes what was drawn, or keeps it to be adjusted."""
        self.drag(point)
        if self.phase in (Phase.MOVING, Phase.STRETCHING):
            self.phase = Phase.ADJUSTING
        elif self.phase is Phase.DRAWING and not self._strayed:
            self.reset()
        elif self.phase is Phase.DRAWING:
            self.phase = Phase.ADJUSTING if keep else Phase.TAKEN
        self._pressed_at, self._stretch, self._sliding, self._nudged = None, None, False, (0, 0)

    def slide(self, on: bool) -> None:
        """While on, the pointer moves the whole of what is being drawn."""
        self._sliding = on and self.phase is Phase.DRAWING

    def nudge(self, dx: int, dy: int, *, resize: bool = False) -> None:
        """Arrows: move a selection that waits (with `resize` its far edges), else the pointer and what it holds."""
        if self.phase is Phase.ADJUSTING and self.box:
            self.box = self._resized(self.box, dx, dy) if resize else self._shifted(self.box, dx, dy)
        elif not self.done:
            before = self.pointer
            there = self._desktop.nearest(_plus(before, dx, dy))
            self._nudged = (there[0] - self._raw[0], there[1] - self._raw[1])
            self._strayed = self._strayed or self.phase is Phase.DRAWING
            self._follow(before)

    def _shifted(self, box: Box, dx: int, dy: int) -> Box:
        return replace(box, x=box.x + dx, y=box.y + dy).kept_inside(self._desktop)

    def _resized(self, box: Box, dx: int, dy: int) -> Box:
        width = min(max(1, box.width + dx), self._desktop.right - box.x)
        height = min(max(1, box.height + dy), self._desktop.bottom - box.y)
        return replace(box, width=width, height=height)

    def double_click(self, point: Point) -> None:
        """Takes the selection when it is inside, the monitor under the pointer when there is none."""
        self.move(point)
        if self.box is None or self.box.contains(self.pointer):
            self.confirm()

    def confirm(self) -> None:
        """Take the selection, or the monitor under the pointer where there is none."""
        if self.done:
            return
        self.box = self.box or self.screen
        self.phase = Phase.TAKEN

    def reset(self) -> None:
        """Back to no selection at all."""
        self.phase, self.box, self._stretch, self._pressed_at = Phase.AIMING, None, None, None

    def step_back(self) -> None:
        """Right click: drops the selection; without one, leaves."""
        if self.phase is Phase.AIMING:
            self.leave()
        elif not self.done:
            self.reset()

    def leave(self) -> None:
        """Take nothing."""
        if not self.done:
            self.phase, self.box = Phase.LEFT, None


def _take_hold(box: Box, grip: Grip, pointer: Point) -> _Stretch:
    """The corners of `box`, arranged so that the edges of `grip` follow the pointer."""
    left, right = (box.right - 1, box.x) if Grip.LEFT in grip else (box.x, box.right - 1)
    top, bottom = (box.bottom - 1, box.y) if Grip.TOP in grip else (box.y, box.bottom - 1)
    free_x, free_y = bool(grip & (Grip.LEFT | Grip.RIGHT)), bool(grip & (Grip.TOP | Grip.BOTTOM))
    return _Stretch((left, top), (right, bottom), free_x, free_y, _plus(pointer, -right, -bottom))


def _plus(point: Point, dx: int, dy: int) -> Point:
    return point[0] + dx, point[1] + dy


def _apart(a: Point, b: Point) -> int:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _near(a: Point, b: Point, reach: int) -> bool:
    return _apart(a, b) <= reach
