"""Pictures come out of the encoders pixel for pixel, and nothing else does."""

from __future__ import annotations

import io
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from PIL import Image, PngImagePlugin

from seedshot_desktop.capture import CaptureError, Frame, Monitor, encode
from seedshot_desktop.capture.encode import EncodedPicture, encode_picture, thumbnail


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(width * height).randbytes(width * height * 3))


def screen(width: int, height: int) -> Image.Image:
    """Flat areas and repeating marks, as windows have them."""
    picture = Image.new("RGB", (width, height), (250, 250, 252))
    for y in range(0, height, 9):
        picture.paste((20 + y % 60, 30, 90), (y % 31, y, min(width, 40 + y * 7 % max(1, width)), y + 3))
    return picture


def decoded(picture: EncodedPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data), formats=[picture.media_type.removeprefix("image/").upper()])


def chunks(picture: EncodedPicture) -> Iterator[bytes]:
    """The names of the file's parts."""
    data, webp = picture.data, picture.media_type == "image/webp"
    at = 12 if webp else 8
    while at < len(data):
        name, length = (
            (data[at : at + 4], data[at + 4 : at + 8]) if webp else (data[at + 4 : at + 8], data[at : at + 4])
        )
        yield name
        size = struct.unpack("<I" if webp else ">I", length)[0]
        at += 8 + size + (size % 2 if webp else 4)


SIZES = [(1, 1), (1, 7), (3, 2), (255, 1), (383, 288), (384, 288), (385, 289), (800, 600)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [noise, screen])
def test_every_pixel_comes_back(make: object, size: tuple[int, int]) -> None:
    original = make(*size)  # type: ignore[operator]
    picture = encode_picture(original)
    assert (picture.width, picture.height) == size
    back = decoded(picture)
    assert (back.mode, back.size) == ("RGB", size)
    assert back.tobytes() == original.tobytes()


def test_frames_come_back_without_their_unused_byte() -> None:
    frame = Frame(Monitor("", 0, 0, 64, 48), random.Random(1).randbytes(64 * 48 * 4))
    back = decoded(encode_picture(frame))
    assert back.mode == "RGB"
    assert back.tobytes() == frame.image().tobytes()


@pytest.mark.parametrize("budget_s", [0.0, 0.3, 60.0])
def test_only_pixels_are_written(budget_s: float) -> None:
    original = screen(400, 300)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "somebody")
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    tagged = io.BytesIO()
    original.save(tagged, "PNG", pnginfo=notes, exif=exif, dpi=(72, 72), icc_profile=b"profile of somebody's screen")
    picture = encode_picture(Image.open(tagged), budget_s)
    assert set(chunks(picture)) <= {b"IHDR", b"IDAT", b"IEND", b"VP8L"}
    assert b"somebody" not in picture.data


def test_what_webp_cannot_hold_becomes_a_png() -> None:
    original = screen(16384, 4)
    picture = encode_picture(original)
    assert picture.media_type == "image/png"
    assert decoded(picture).tobytes() == original.tobytes()


def test_the_widest_that_webp_holds() -> None:
    original = screen(16383, 4)
    assert decoded(encode_picture(original)).tobytes() == original.tobytes()


def test_no_budget_still_gives_a_picture() -> None:
    original = noise(500, 400)
    assert decoded(encode_picture(original, 0.0)).tobytes() == original.tobytes()


def test_a_picture_without_pixels() -> None:
    with pytest.raises(CaptureError, match="empty"):
        encode_picture(Image.new("RGB", (0, 5)))


def test_an_alpha_channel_is_dropped() -> None:
    assert decoded(encode_picture(Image.new("RGBA", (20, 20), (1, 2, 3, 0)))).getpixel((0, 0)) == (1, 2, 3)


class Held:
    """An encoder that is late: it waits until it is let go."""

    def __init__(self) -> None:
        self.let_go, self.ended = threading.Event(), threading.Event()

    def __call__(self, _image: Image.Image) -> bytes:
        self.let_go.wait(10)
        self.ended.set()
        return b""


def test_the_smallest_in_time_wins() -> None:
    def small(_image: Image.Image) -> bytes:
        return b"12"

    def large(_image: Image.Image) -> bytes:
        return b"12345"

    assert encode._race(screen(5, 5), [large, small], time.monotonic() + 10) == (small, b"12")


def test_a_late_encoder_is_abandoned() -> None:
    late = Held()

    def quick(_image: Image.Image) -> bytes:
        return b"12345"

    started = time.monotonic()
    encoders: list[Callable[[Image.Image], bytes]] = [late, quick]
    assert encode._race(screen(5, 5), encoders, started + 0.05) == (quick, b"12345")
    assert time.monotonic() - started < 5
    late.let_go.set()
    assert late.ended.wait(10)


def test_when_all_are_late_the_first_wins() -> None:
    late = Held()
    threading.Timer(0.1, late.let_go.set).start()
    assert encode._race(screen(5, 5), [late], time.monotonic()) == (late, b"")


def test_one_encoder_that_fails_is_no_harm() -> None:
    def broken(_image: Image.Image) -> bytes:
        raise OSError("encoder error")

    def quick(_image: Image.Image) -> bytes:
        return b"12345"

    assert encode._race(screen(5, 5), [broken, quick], time.monotonic() + 10) == (quick, b"12345")
    with pytest.raises(OSError, match="encoder error"):
        encode._race(screen(5, 5), [broken], time.monotonic() + 10)


def test_a_thumbnail_fits_its_box_and_keeps_the_shape() -> None:
    frame = Frame(Monitor("", 0, 0, 640, 200), bytes((10, 20, 30, 0)) * (640 * 200))
    small = Image.open(io.BytesIO(thumbnail(frame, (160, 160))), formats=["PNG"])
    assert small.size == (160, 50)
    assert small.getpixel((80, 25)) == (30, 20, 10)


def test_a_thumbnail_is_never_enlarged_nor_empty() -> None:
    assert Image.open(io.BytesIO(thumbnail(Image.new("RGB", (10, 8)), (160, 160)))).size == (10, 8)
    assert Image.open(io.BytesIO(thumbnail(Image.new("RGB", (4000, 1)), (160, 160)))).size == (160, 1)
