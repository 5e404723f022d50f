"""Pieces of the desktop, cut out of the pictures of its monitors."""

from __future__ import annotations

import pytest

from seedshot_desktop.capture import CaptureError, Frame, Monitor, Region, cut


def frame(x: int, y: int, width: int, height: int, name: str = "DP-1") -> Frame:
    """Every pixel says where it is: blue its column, green its row, both of the virtual desktop; red 7."""
    places = [(column, row) for row in range(y, y + height) for column in range(x, x + width)]
    pixels = b"".join(bytes((column + 128, row + 128, 7, 99)) for column, row in places)
    return Frame(Monitor(name, x, y, width, height), pixels)


def place(piece: Frame, x: int, y: int) -> tuple[int, int]:
    """Where the pixel at `x`, `y` of the piece was taken from."""
    at = (y * piece.monitor.width + x) * 4
    return piece.pixels[at] - 128, piece.pixels[at + 1] - 128


LEFT, RIGHT = frame(-40, -10, 40, 30, "left"), frame(0, 0, 60, 40, "right")


def test_a_piece_of_one_monitor() -> None:
    piece = cut([LEFT, RIGHT], Region(-30, -5, 10, 4))
    assert (piece.monitor.width, piece.monitor.height) == (10, 4)
    assert place(piece, 0, 0) == (-30, -5)
    assert place(piece, 9, 3) == (-21, -2)


def test_the_whole_monitor_is_not_copied() -> None:
    assert cut([LEFT, RIGHT], RIGHT.monitor.region) is RIGHT


def test_one_pixel_in_the_last_corner() -> None:
    assert place(cut([LEFT, RIGHT], Region(59, 39, 1, 1)), 0, 0) == (59, 39)


def test_a_piece_across_monitors_is_black_where_none_is() -> None:
    piece = cut([LEFT, RIGHT], Region(-5, -4, 10, 30))
    assert place(piece, 0, 0) == (-5, -4)
    assert place(piece, 5, 4) == (0, 0)
    assert place(piece, 9, 29) == (4, 25)
    above_the_right_one = 7 * 4
    assert piece.pixels[above_the_right_one : above_the_right_one + 3] == bytes(3)


def test_a_region_that_no_monitor_shows() -> None:
    with pytest.raises(CaptureError, match="outside of every monitor"):
        cut([LEFT, RIGHT], Region(1000, 0, 5, 5))


def test_a_crop_that_leaves_the_monitor() -> None:
    with pytest.raises(ValueError, match="not inside"):
        RIGHT.crop(Region(50, 0, 20, 5))


def test_pixels_that_do_not_fill_the_monitor_are_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes for 2 x 2"):
        Frame(Monitor("", 0, 0, 2, 2), bytes(8))


def test_the_image_has_the_colours_in_order_and_no_alpha() -> None:
    image = Frame(Monitor("", 0, 0, 2, 1), bytes((1, 2, 3, 0, 4, 5, 6, 255))).image()
    assert (image.mode, image.size) == ("RGB", (2, 1))
    assert image.tobytes() == bytes((3, 2, 1, 6, 5, 4))


def test_views_of_memory_serve_as_pixels() -> None:
    view = Frame(RIGHT.monitor, memoryview(bytes(RIGHT.pixels)).toreadonly())
    assert view.crop(Region(3, 4, 5, 6)).pixels == RIGHT.crop(Region(3, 4, 5, 6)).pixels
    assert view.image().tobytes() == RIGHT.image().tobytes()


def test_a_region_as_large_as_the_desktop() -> None:
    piece = cut([LEFT, RIGHT], Region(-40, -10, 100, 50))
    assert place(piece, 0, 0) == (-40, -10)
    assert place(piece, 99, 49) == (59, 39)
