"""The overlay before a person: a real key press, a real mouse."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.desktop import Person
from tests.support.overlay import HOTKEY, Overlay, open_overlay
from tests.support.programs import Program, find
from tests.support.screen import open_screen
from tests.support.waiting import wait_until

SIZE = (1280, 800)


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    with open_screen(width=SIZE[0], height=SIZE[1], tray=False) as screen:
        yield Person(screen)


@pytest.fixture(scope="module")
def shown(person: Person) -> Iterator[Overlay]:
    with open_overlay(person) as opened:
        yield opened


def test_press_drag_release_gives_the_region_with_both_corners(shown: Overlay) -> None:
    shown.open()
    shown.person.drag(100, 120, 399, 319)
    assert shown.answer() == (100, 120, 300, 200)


def test_escape_leaves_at_once(shown: Overlay) -> None:
    shown.open()
    shown.person.press("Escape")
    assert shown.answer() is None


def test_enter_takes_the_monitor(shown: Overlay) -> None:
    shown.open()
    shown.person.press("Return")
    assert shown.answer() == (0, 0, *SIZE)


def test_a_double_click_takes_the_monitor(shown: Overlay) -> None:
    shown.open()
    shown.do("mousemove", "300", "300", "click", "--repeat", "2", "--delay", "60", "1")
    assert shown.answer() == (0, 0, *SIZE)


def test_a_right_click_leaves(shown: Overlay) -> None:
    shown.open()
    shown.person.click(300, 300, button=3)
    assert shown.answer() is None


def test_the_very_edges_can_be_taken(shown: Overlay) -> None:
    shown.open()
    shown.person.drag(0, 0, SIZE[0] - 1, SIZE[1] - 1)
    assert shown.answer() == (0, 0, *SIZE)


def test_with_ctrl_it_stays_and_is_adjusted_by_keys_and_handles(shown: Overlay) -> None:
    shown.open()
    shown.do("mousemove", "100", "100", "mousedown", "1", "mousemove", "200", "180", "mousemove", "299", "249")
    shown.do("keydown", "ctrl", "mouseup", "1", "keyup", "ctrl")
    shown.do("key", "Right", "key", "Right", "key", "Down", "key", "shift+Left", "key", "ctrl+Down")
    shown.do("mousemove", "301", "261", "mousedown", "1", "mousemove", "330", "300", "mousemove", "351", "311")
    shown.do("mouseup", "1", "key", "Return")
    assert shown.answer() == (102, 111, 249, 200)


def test_with_ctrl_still_held_from_the_hotkey_releasing_takes_it(shown: Overlay) -> None:
    count = len(shown.events("painted")) + 1
    shown.do("keydown", "ctrl", "keydown", "shift", "key", "2")
    shown.wait("painted", count)
    shown.person.drag(100, 120, 399, 319)
    shown.do("keyup", "shift", "keyup", "ctrl")
    assert shown.answer() == (100, 120, 300, 200)


def test_space_moves_it_while_it_is_drawn(shown: Overlay) -> None:
    shown.open()
    shown.do("mousemove", "100", "100", "mousedown", "1", "mousemove", "199", "199", "keydown", "space")
    shown.do("mousemove", "239", "219", "keyup", "space", "mouseup", "1")
    assert shown.answer() == (140, 120, 100, 100)


def test_arrows_nudge_the_corner_while_it_is_drawn(shown: Overlay) -> None:
    shown.open()
    shown.do("mousemove", "100", "100", "mousedown", "1", "mousemove", "199", "199", "key", "Left", "key", "Left")
    shown.do("mouseup", "1")
    assert shown.answer() == (100, 100, 98, 100)


def test_the_hotkey_does_nothing_while_it_is_open(shown: Overlay) -> None:
    shown.open()
    pressed, painted = len(shown.events("pressed")), len(shown.events("painted"))
    shown.person.press(HOTKEY)
    shown.person.drag(100, 120, 399, 319)
    assert shown.answer() == (100, 120, 300, 200)
    assert len(shown.events("pressed")) == pressed
    assert len(shown.events("painted")) == painted


def test_it_opens_again_and_again(shown: Overlay) -> None:
    for _ in range(5):
        shown.open()
        shown.person.press("Escape")
        assert shown.answer() is None


def test_the_focus_stays_where_it_was_and_no_key_goes_there(shown: Overlay) -> None:
    """The window in which the link will be pasted must not need a click first."""
    person = shown.person
    with typing_window(person) as window:
        focused = focus(person)
        shown.open()
        assert focus(person) == focused
        shown.do("key", "a")
        shown.person.press("Escape")
        assert shown.answer() is None
        assert focus(person) == focused
        shown.do("key", "b")
        wait_until(lambda: "keysym 0x62, b" in window.output(), "the key after the overlay")
        assert "keysym 0x61, a" not in window.output()


@contextmanager
def typing_window(person: Person) -> Iterator[Program]:
    """A window that writes down what is typed into it."""
    window = Program([find("xev"), "-event", "keyboard", "-name", "typing"], person.screen.env)
    try:
        ids = wait_until(lambda: person.windows("^typing$"), "the window")
        subprocess.run([find("xdotool"), "windowfocus", "--sync", str(ids[0])], env=person.screen.env, check=True)
        yield window
    finally:
        window.end()


def focus(person: Person) -> str:
    command = [find("xdotool"), "getwindowfocus"]
    return subprocess.run(command, env=person.screen.env, check=True, capture_output=True, text=True).stdout
