"""Pictures of a real X screen, by every backend there is for it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from seedshot_desktop.capture import Backend, CaptureError, Frame, Region, cut, open_backend
from seedshot_desktop.capture.x11_backend import X11Backend
from tests.support.desktop import Person, shown_picture
from tests.support.screen import open_screen

SIZE = (800, 600)


@pytest.fixture(scope="module")
def desktop() -> Iterator[Person]:
    with open_screen(width=SIZE[0], height=SIZE[1], manager=False, tray=False) as screen:
        yield Person(screen)


@pytest.fixture
def person(desktop: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody before the display of this process."""
    monkeypatch.setenv("DISPLAY", desktop.screen.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return desktop


@pytest.fixture(params=["x11", "mss"])
def backend(person: Person, request: pytest.FixtureRequest) -> Iterator[Backend]:
    opened = open_backend(request.param)
    assert opened.name == request.param
    yield opened
    opened.close()


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(3).randbytes(width * height * 3))


def test_every_pixel_is_the_screens(person: Person, backend: Backend) -> None:
    picture = noise(301, 203)
    with shown_picture(person, picture, 97, 55):
        (frame,) = backend.grab()
    assert (frame.monitor.x, frame.monitor.y, frame.monitor.width, frame.monitor.height) == (0, 0, *SIZE)
    assert frame.monitor.name
    assert cut([frame], Region(97, 55, 301, 203)).image().tobytes() == picture.tobytes()


def test_a_later_picture_does_not_change_an_earlier_one(person: Person, backend: Backend) -> None:
    (before,) = backend.grab()
    kept = bytes(before.pixels)
    with shown_picture(person, noise(200, 200), 10, 10):
        (during,) = backend.grab()
        assert bytes(during.pixels) != kept
    assert bytes(before.pixels) == kept


def test_several_threads_take_turns(backend: Backend) -> None:
    taken: list[Frame] = []
    threads = [threading.Thread(target=lambda: taken.extend(backend.grab())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8
    assert len({bytes(frame.pixels) for frame in taken}) == 1


def test_closing_twice_and_opening_again(backend: Backend) -> None:
    backend.close()
    backend.close()
    assert backend.grab()


@pytest.mark.parametrize("name", ["x11", "mss"])
def test_a_display_that_goes_away(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with open_screen(width=320, height=240, manager=False, tray=False) as screen:
        monkeypatch.setenv("DISPLAY", screen.display)
        backend = open_backend(name)
    with pytest.raises(CaptureError):
        backend.grab()
    backend.close()


def test_the_first_choice_shares_memory(person: Person) -> None:
    backend = open_backend()
    assert backend.name == "x11"
    backend.close()


def test_memory_is_used_again_and_bounded(person: Person) -> None:
    """One segment a monitor when nobody looks; one more while a picture is looked at, by whatever name."""
    backend = X11Backend()
    for _ in range(5):
        backend.grab()
    assert len(backend._segments) == 1
    held = memoryview(backend.grab()[0].pixels)[:16]
    backend.grab()
    assert len(backend._segments) == 2
    held.release()
    backend.grab()
    assert len(backend._segments) == 1
    backend.close()


def test_nothing_of_the_screen_stays_in_the_memory_that_is_kept(person: Person) -> None:
    backend = X11Backend()
    try:
        with shown_picture(person, noise(200, 200), 10, 10):
            (frame,) = backend.grab()
        kept = bytes(frame.pixels)
        backend.wipe()
        assert bytes(frame.pixels) == kept, "a picture that is looked at is not wiped"
        del frame
        backend.wipe()
        (segment,) = backend._segments
        assert not any(segment.view(segment.size))
    finally:
        backend.close()
