"""The hotkey on a real X server: real key presses, real locks, real keyboard layouts."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from functools import partial

import pytest

from seedshot_desktop.errors import HotkeyError, HotkeyTakenError
from seedshot_desktop.hotkey import Hotkey, open_hotkey, parse_combo, xcb
from tests.support.desktop import Person
from tests.support.programs import Program, find
from tests.support.screen import open_screen
from tests.support.waiting import until, wait_until, within

COMBO = "Ctrl+Shift+2"


@pytest.fixture(scope="module")
def desktop() -> Iterator[Person]:
    with open_screen(width=640, height=480, tray=False) as screen:
        yield Person(screen)


@pytest.fixture
def person(desktop: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Somebody before the display of this process, with an American keyboard again afterwards."""
    monkeypatch.setenv("DISPLAY", desktop.screen.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    yield desktop
    run(desktop, "setxkbmap", "us")


def run(person: Person, *command: str) -> None:
    subprocess.run([find(command[0]), *command[1:]], env=person.screen.env, check=True, timeout=10)


class Ear:
    """Hears the presses of one hotkey, and that it was lost."""

    def __init__(self, combo: str = COMBO) -> None:
        self.presses = 0
        self.lost: asyncio.Queue[HotkeyError] = asyncio.Queue()
        self._heard = asyncio.Event()
        self.hotkey: Hotkey = open_hotkey(parse_combo(combo), self._press, self.lost.put_nowait)

    def _press(self) -> None:
        self.presses += 1
        self._heard.set()

    async def next(self) -> int:
        """The number of presses, after one more."""
        await within(self._heard.wait(), "the hotkey")
        self._heard.clear()
        return self.presses

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.hotkey.close()


async def test_a_press_is_heard_each_time(person: Person) -> None:
    with Ear() as ear:
        for count in (1, 2, 3):
            person.press("ctrl+shift+2")
            assert await ear.next() == count


@pytest.mark.parametrize("locks", [["Caps_Lock"], ["Num_Lock"], ["Caps_Lock", "Num_Lock"]])
async def test_it_works_under_the_locks(person: Person, locks: list[str]) -> None:
    with Ear() as ear:
        for lock in locks:
            person.press(lock)
        try:
            person.press("ctrl+shift+2")
            assert await ear.next() == 1
        finally:
            for lock in locks:
                person.press(lock)


@pytest.mark.parametrize(
    ("combo", "keys"),
    [
        ("Print", "Print"),
        ("Alt+Print", "alt+Print"),
        ("Super+S", "super+s"),
        ("Alt+F9", "alt+F9"),
        ("Ctrl+Alt+Shift+F9", "ctrl+alt+shift+F9"),
    ],
)
async def test_other_combinations(person: Person, combo: str, keys: str) -> None:
    with Ear(combo) as ear:
        person.press(keys)
        assert await ear.next() == 1


# The X key codes of two physical keys: 2, and the one right of A.
TWO, S = 11, 39


async def test_it_follows_the_keyboard_layout(person: Person) -> None:
    """Ctrl+Alt+Z is where the layout has its Z; the server is asked what is held, since nobody else can know."""
    with Ear("Ctrl+Alt+Z") as ear:
        person.press("ctrl+alt+z")
        assert await ear.next() == 1
        for count, layout in enumerate(("de", "us", "fr", "us"), start=2):
            run(person, "setxkbmap", layout)
            await until(partial(held_as, ear, layout), f"the hotkey on the {layout} keyboard")
            person.press("ctrl+alt+z")
            assert await ear.next() == count


def held_as(ear: Ear, layout: str) -> bool:
    """Whether the physical key that prints Z on that layout is the one that is held."""
    keycode = {"de": 29, "us": 52, "fr": 25}[layout]
    return all(code == keycode for code, _ in ear.hotkey._grabs)  # type: ignore[attr-defined]


@pytest.mark.parametrize("combo", [COMBO, "Ctrl+Alt+S"])
async def test_a_russian_keyboard_keeps_the_key_where_it_was(person: Person, combo: str) -> None:
    keycode = TWO if combo == COMBO else S
    with Ear(combo) as ear:
        run(person, "setxkbmap", "ru")
        await until(lambda: keymap_has(0x6D9), "the Russian keyboard")
        first, second = combo.lower().split("+")[:2]
        down, up = ("keydown", first, "keydown", second), ("keyup", second, "keyup", first)
        run(person, "xdotool", *down, "key", str(keycode), *up)
        assert await ear.next() == 1


def keymap_has(keysym: int) -> bool:
    connection = xcb.Connection()
    try:
        return any(keysym in row for row in connection.keymap().keysyms)
    finally:
        connection.close()


async def test_the_second_group_of_a_keyboard(person: Person) -> None:
    run(person, "setxkbmap", "-layout", "us,ru", "-option", "grp:menu_toggle")
    with Ear("Ctrl+Alt+S") as ear:
        person.press("Menu")
        try:
            run(person, "xdotool", "keydown", "ctrl", "keydown", "alt", "key", str(S), "keyup", "alt", "keyup", "ctrl")
            assert await ear.next() == 1
        finally:
            person.press("Menu")


async def test_a_combination_that_is_taken(person: Person) -> None:
    with Ear(), pytest.raises(HotkeyTakenError, match=r"Ctrl\+Shift\+2 is held by another program\. .*settings"):
        Ear()


async def test_a_failed_attempt_holds_nothing(person: Person) -> None:
    with Ear():
        with pytest.raises(HotkeyTakenError):
            Ear()
        with Ear("Ctrl+Shift+3") as other:
            person.press("ctrl+shift+3")
            assert await other.next() == 1


async def test_closing_gives_it_back(person: Person) -> None:
    first = Ear()
    first.hotkey.close()
    first.hotkey.close()
    with Ear() as second:
        person.press("ctrl+shift+2")
        assert await second.next() == 1
    assert first.presses == 0


async def test_another_program_has_it_on_the_new_layout(person: Person) -> None:
    """Two combinations become the same key; the one that loses says so and ends."""
    with Ear("Ctrl+Alt+Y") as german:
        connection = xcb.Connection()
        try:
            control_alt = 0b1100
            assert connection.grab_keys([(29, control_alt), (52, control_alt)]) in (0, xcb.BAD_ACCESS)
            run(person, "setxkbmap", "de")
            error = await within(german.lost.get(), "the loss")
            assert isinstance(error, HotkeyTakenError)
        finally:
            connection.close()


async def test_no_other_key_is_ever_seen(person: Person) -> None:
    """Not even while the combination is held down; the connection's own queue is the witness."""
    connection = xcb.Connection()
    try:
        assert connection.grab_keys([(TWO, 0b101)]) == 0
        person.press("a")
        person.press("ctrl+shift+3")
        person.press("2")
        connection.keymap()
        assert key_presses(connection) == []
        run(person, "xdotool", "keydown", "ctrl", "keydown", "shift", "keydown", "2")
        assert wait_until(lambda: key_presses(connection), "the combination") == [TWO]
        connection.release_keyboard()
        connection.keymap()
        run(person, "xdotool", "key", "a", "key", "Escape")
        connection.keymap()
        assert [code for code in key_presses(connection) if code != TWO] == []
    finally:
        run(person, "xdotool", "keyup", "2", "keyup", "shift", "keyup", "ctrl")
        connection.close()


def key_presses(connection: xcb.Connection) -> list[int]:
    """Key codes of the presses that have come."""
    codes = []
    while event := connection.next_event():
        if event.kind == xcb.KEY_PRESS:
            codes.append(event.keycode)
    return codes


async def test_what_is_typed_after_the_press_goes_to_the_window(person: Person) -> None:
    """The hotkey ends the server's keyboard grab at once, even while its keys are still down."""
    window = Program([find("xev"), "-event", "keyboard", "-name", "typing"], person.screen.env)
    try:
        ids = wait_until(lambda: person.windows("^typing$"), "the window")
        run(person, "xdotool", "windowfocus", "--sync", str(ids[0]))
        with Ear() as ear:
            run(person, "xdotool", "keydown", "ctrl", "keydown", "shift", "keydown", "2")
            assert await ear.next() == 1
            run(person, "xdotool", "key", "b")
            wait_until(lambda: "KeyPress" in window.output() and "keycode 56" in window.output(), "the key")
    finally:
        run(person, "xdotool", "keyup", "2", "keyup", "shift", "keyup", "ctrl")
        window.end()


async def test_it_works_in_every_workspace(person: Person) -> None:
    with Ear() as ear:
        run(person, "xdotool", "set_desktop", "1")
        try:
            person.press("ctrl+shift+2")
            assert await ear.next() == 1
        finally:
            run(person, "xdotool", "set_desktop", "0")


async def test_a_display_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with open_screen(width=320, height=240, manager=False, tray=False) as screen:
        monkeypatch.setenv("DISPLAY", screen.display)
        ear = Ear()
    error = await within(ear.lost.get(), "the loss")
    assert "connection to the display broke" in str(error)
    ear.hotkey.close()


async def test_a_keyboard_without_the_key(person: Person) -> None:
    run(person, "xmodmap", "-e", "keycode 202 =")
    with pytest.raises(HotkeyError, match=r"This keyboard has no F24 .*settings"):
        Ear("Ctrl+F24")


@pytest.mark.parametrize("combo", ["Ctrl+Alt+F9", "Ctrl+Alt+Super+F1"])
async def test_a_combination_that_the_display_never_passes_on_is_refused(person: Person, combo: str) -> None:
    with pytest.raises(HotkeyError, match="never reaches a program"):
        open_hotkey(parse_combo(combo), lambda: None)
