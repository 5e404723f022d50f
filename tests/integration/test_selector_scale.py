"""The frozen screen at every scale: what is shown, and what is chosen, is pixel for pixel what was there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from PIL import Image, ImageChops

from tests.support.desktop import Person, shown_picture
from tests.support.overlay import open_overlay
from tests.support.screen import open_screen
from tests.support.waiting import wait_until

SIZE = (1280, 800)


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    with open_screen(width=SIZE[0], height=SIZE[1], tray=False) as screen:
        yield Person(screen)


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_the_picture_is_shown_pixel_for_pixel_at_every_scale(person: Person, scale: str) -> None:
    with noise_on_screen(person), open_overlay(person, QT_SCALE_FACTOR=scale) as shown:
        before = person.look()
        shown.open()
        shown.do("mousemove", "201", "151", "mousedown", "1", "mousemove", "300", "300", "mousemove", "707", "503")
        selection = (201, 151, 708, 504)
        wait_until(
            lambda: same(person.look().crop(selection), before.crop(selection)), "the selection as it is on the screen"
        )
        assert dimmed(person.look().crop((0, 640, 200, 800)), before.crop((0, 640, 200, 800)))
        shown.do("mouseup", "1")
        assert shown.answer() == (201, 151, 507, 353)
        wait_until(lambda: same(person.look(), before), "the screen as it was")


@contextmanager
def noise_on_screen(person: Person) -> Iterator[None]:
    noise = Image.effect_noise(SIZE, 90).convert("RGB")
    with shown_picture(person, noise, 0, 0):
        yield


def same(a: Image.Image, b: Image.Image) -> bool:
    return a.tobytes() == b.tobytes()


def dimmed(now: Image.Image, before: Image.Image) -> bool:
    """Every pixel darkened alike."""
    wanted = before.point(lambda value: round(value * 135 / 255))
    extrema: Sequence[tuple[int, int]] = ImageChops.difference(now, wanted).getextrema()  # type: ignore[assignment]
    return max(high for _, high in extrema) <= 2
