"""Plain values of the selector (pure): rectangles in physical pixels, the frozen screens, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Box:
    """A rectangle of the virtual desktop in physical pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def between(cls, a: tuple[int, int], b: tuple[int, int]) -> Box:
        """From one pixel to another, both included."""
        return cls(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]) + 1, abs(a[1] - b[1]) + 1)

    @classmethod
    def around(cls, boxes: Sequence[Box]) -> Box:
        """The smallest that holds all of `boxes`."""
        x, y = min(box.x for box in boxes), min(box.y for box in boxes)
        return cls(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond it."""
        return self.y + self.height

    @property
    def centre(self) -> tuple[int, int]:
        """The pixel in the middle."""
        return self.x + self.width // 2, self.y + self.height // 2

    def contains(self, point: tuple[int, int]) -> bool:
        """Whether the pixel is one of its own."""
        return self.x <= point[0] < self.right and self.y <= point[1] < self.bottom

    def nearest(self, point: tuple[int, int]) -> tuple[int, int]:
        """The pixel of it that is nearest to `point`."""
        return min(max(point[0], self.x), self.right - 1), min(max(point[1], self.y), self.bottom - 1)

    def distance(self, point: tuple[int, int]) -> int:
        """0 inside, else how far away the nearest pixel is, along the longer axis."""
        near = self.nearest(point)
        return max(abs(near[0] - point[0]), abs(near[1] - point[1]))

    def grown(self, by: int) -> Box:
        """With `by` pixels more on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def kept_inside(self, other: Box) -> Box:
        """The same size, moved so that it lies inside `other`, which is no smaller."""
        x = min(max(self.x, other.x), other.right - self.width)
        y = min(max(self.y, other.y), other.bottom - self.height)
        return replace(self, x=x, y=y)


@dataclass(frozen=True, eq=False)
class FrozenScreen:
    """The picture of one monitor, as it was when the key was pressed."""

    name: str
    """As the system calls the monitor; matched against Qt's name for it."""
    x: int
    y: int
    width: int
    height: int
    pixels: bytes | bytearray | memoryview = field(repr=False)
    """Rows of blue, green, red and an unused byte: width * height * 4 bytes. Must not change while it is shown."""

    @property
    def box(self) -> Box:
        """Where it is, in physical pixels of the virtual desktop."""
        return Box(self.x, self.y, self.width, self.height)


@dataclass(frozen=True)
class Selection:
    """What was chosen, in physical pixels of the virtual desktop; may span several monitors."""

    x: int
    y: int
    width: int
    height: int
