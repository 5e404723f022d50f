"""A tray that appears after the app: the icon takes over from the small window, on either kind of tray."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.app import running_app
from tests.support.command_line import ROOT
from tests.support.desktop import Person
from tests.support.programs import Program, find
from tests.support.screen import open_screen
from tests.support.waiting import until

_WATCHER = """
from PySide6.QtCore import QCoreApplication
from PySide6.QtDBus import QDBusConnection
application = QCoreApplication([])
assert QDBusConnection.sessionBus().registerService("org.kde.StatusNotifierWatcher")
application.exec()
"""


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody whose desktop has no tray yet."""
    with open_screen(tray=False) as screen:
        yield Person(screen)


@contextmanager
def tray(kind: str, person: Person) -> Iterator[None]:
    """An X11 panel, or the D-Bus service of newer desktops."""
    command = [find("tint2")] if kind == "x11" else [sys.executable, "-c", _WATCHER]
    with ExitStack() as stack:
        program = Program(command, person.screen.env, cwd=ROOT)
        stack.callback(program.end)
        yield


@pytest.mark.parametrize("kind", ["x11", "dbus"])
async def test_the_icon_takes_over_from_the_small_window(person: Person, kind: str) -> None:
    async with running_app(person) as app:
        await until(lambda: person.windows("^Seedshot$"), "the small window")
        with tray(kind, person):
            await until(lambda: not person.windows("^Seedshot$"), "its end")
            assert await app.is_online()
