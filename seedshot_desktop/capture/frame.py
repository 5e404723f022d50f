"""Pictures of monitors as they came from the system, and pieces cut out of them (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from seedshot_desktop.errors import CaptureError

_BYTES = 4


@dataclass(frozen=True)
class Region:
    """A rectangle of the virtual desktop in physical pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond it."""
        return self.y + self.height

    def intersection(self, other: Region) -> Region | None:
        """What both cover, or None."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Region(x, y, width, height) if width > 0 and height > 0 else None


@dataclass(frozen=True)
class Monitor:
    """One monitor in physical pixels of the virtual desktop."""

    name: str
    """As the system calls it (``DP-1``); "" where it has no name."""
    x: int
    y: int
    width: int
    height: int

    @property
    def region(self) -> Region:
        """The part of the virtual desktop that it shows."""
        return Region(self.x, self.y, self.width, self.height)


@dataclass(frozen=True, eq=False)
class Frame:
    """The picture of one monitor, or of a piece of the desktop."""

    monitor: Monitor
    """Where it was taken; for a piece, the piece's own place and size."""
    pixels: bytes | bytearray | memoryview = field(repr=False)
    """Rows from the top, blue, green, red and an unused byte each pixel, no padding: width * height * 4 bytes."""

    def __post_init__(self) -> None:
        """A frame whose size and bytes disagree would be read beyond its end by Qt."""
        if len(self.pixels) != self.monitor.width * self.monitor.height * _BYTES:
            raise ValueError(f"{len(self.pixels)} bytes for {self.monitor.width} x {self.monitor.height} pixels")

    def crop(self, region: Region) -> Frame:
        """The piece inside `region`; raises ValueError where the frame does not cover it."""
        if region.intersection(self.monitor.region) != region:
            raise ValueError(f"{region} is not inside {self.monitor}")
        if region == self.monitor.region:
            return self
        return _piece(self.monitor.name, region, b"".join(_rows(self, region)))

    def image(self) -> Image.Image:
        """The same pixels as an opaque Pillow image, mode RGB."""
        size = (self.monitor.width, self.monitor.height)
        pixels: Any = self.pixels  # Pillow takes a memoryview, but its types do not say so
        return Image.frombuffer("RGB", size, pixels, "raw", "BGRX", 0, 1)


def cut(frames: Sequence[Frame], region: Region) -> Frame:
    """The piece of the desktop inside `region`, from however many monitors it spans.

    What no monitor shows is black. Raises CaptureError where no monitor shows any of it.
    """
    parts = [(frame, part) for frame in frames if (part := region.intersection(frame.monitor.region))]
    if not parts:
        raise CaptureError("The chosen region lies outside of every monitor. Choose it again.")
    frame, part = parts[0]
    if part == region:
        return frame.crop(region)
    canvas = bytearray(region.width * region.height * _BYTES)
    for frame, part in parts:
        _paste(canvas, region, frame, part)
    return _piece("", region, canvas)


def _piece(name: str, region: Region, pixels: bytes | bytearray) -> Frame:
    return Frame(Monitor(name, region.x, region.y, region.width, region.height), pixels)


def _rows(frame: Frame, region: Region) -> Iterator[memoryview]:
    """The bytes of each row of `region`."""
    stride = frame.monitor.width * _BYTES
    start = (region.y - frame.monitor.y) * stride + (region.x - frame.monitor.x) * _BYTES
    view = memoryview(frame.pixels)
    for offset in range(start, start + region.height * stride, stride):
        yield view[offset : offset + region.width * _BYTES]


def _paste(canvas: bytearray, region: Region, frame: Frame, part: Region) -> None:
    stride = region.width * _BYTES
    start = (part.y - region.y) * stride + (part.x - region.x) * _BYTES
    for index, row in enumerate(_rows(frame, part)):
        offset = start + index * stride
        canvas[offset : offset + len(row)] = row
