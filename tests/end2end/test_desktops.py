"""The app on desktops as they are: lock keys, workspaces, other layouts, no tray, no display, a second start."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app import App, prepare_settings, running_app, start
from tests.support.command_line import ROOT
from tests.support.desktop import Person
from tests.support.screen import open_screen
from tests.support.waiting import until


@pytest.fixture
def person_without_tray() -> Iterator[Person]:
    """Somebody before a desktop that has no tray."""
    with open_screen(tray=False) as screen:
        yield Person(screen)


async def test_the_hotkey_works_under_lock_keys_and_after_a_change_of_layout(person: Person) -> None:
    async with running_app(person) as app:
        for lock in ("Caps_Lock", "Num_Lock", "Caps_Lock"):
            person.press(lock)
            await _opens_and_leaves(app)
        for layout in ("de", "fr", "us"):
            person.use_layout(layout)
            await _opens_and_leaves(app)


async def test_the_hotkey_works_in_every_workspace(person: Person) -> None:
    async with running_app(person) as app:
        for workspace in (1, 0):
            person.go_to_workspace(workspace)
            await _opens_and_leaves(app)


async def test_no_other_key_does_anything(person: Person) -> None:
    async with running_app(person) as app:
        for keys in ("ctrl+2", "shift+2", "2", "ctrl+shift+3", "ctrl+alt+shift+2"):
            person.press(keys)
        assert (await app.ask("list"))["shares"] == []
        assert app.windows() == []
        await _opens_and_leaves(app)


async def test_a_taken_hotkey_is_said_and_the_app_works_on(person: Person) -> None:
    with open_screen() as other_home:
        other = Person(other_home)
        other_home.env["DISPLAY"] = person.screen.display
        async with running_app(person) as first, running_app(other) as second:
            await until(second.windows, "the message")
            assert await second.is_online()
            await _opens_and_leaves(first)


async def test_a_second_start_hands_over_to_the_first(person: Person) -> None:
    async with running_app(person) as app:
        engine = app.engine()
        second = start(app.env)
        try:
            assert await asyncio.to_thread(second.wait, 10.0) == 0
            assert second.output() == ""
        finally:
            second.end()
        await until(lambda: person.windows("Shares"), "the first one's window")
        assert app.engine() == engine


async def test_the_command_line_speaks_to_the_app(person: Person, tmp_path: Path) -> None:
    saved = tmp_path / "all.png"
    async with running_app(person) as app:
        captured = await _run(app, "capture", "all", "--save", str(saved))
        assert captured.startswith("http")
        assert person.clipboard() == captured.splitlines()[0]
        assert saved.read_bytes().startswith(b"\x89PNG")
        assert (await app.shares())[0]["label"] in await _run(app, "list")
        await _run(app, "revoke", "--all")
        assert await app.shares() == []


async def test_without_a_tray_a_small_window_does_the_same_work(person_without_tray: Person) -> None:
    person = person_without_tray
    async with running_app(person) as app:
        await until(app.windows, "the small window")
        assert (await app.capture(100, 100, 200, 100)).startswith("http")


async def test_without_a_display_one_line_says_what_works(tmp_path: Path) -> None:
    with open_screen(manager=False, tray=False) as screen:
        env = prepare_settings(Person(screen))
        del env["DISPLAY"]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "seedshot_desktop"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "seedshot share" in done.stderr


async def _opens_and_leaves(app: App) -> None:
    """The hotkey opens the overlay, Esc closes it."""
    await app.press_hotkey()
    await app.overlay()
    app.person.press("Escape")
    await app.no_overlay()


async def _run(app: App, *arguments: str) -> str:
    """What ``seedshot`` with `arguments` prints."""
    program = start(app.env, *arguments)
    try:
        code = await asyncio.to_thread(program.wait, 15.0)
        assert code == 0, program.output()
        return program.output()
    finally:
        program.end()


async def test_a_hotkey_that_never_arrives_is_refused_and_the_old_one_stays(person: Person) -> None:
    async with running_app(person) as app:
        program = start(app.env, "settings", "hotkey", "ctrl+alt+f9")
        try:
            assert await asyncio.to_thread(program.wait, 15.0) == 1
            assert "never reaches a program" in program.output()
        finally:
            program.end()
        await _opens_and_leaves(app)
