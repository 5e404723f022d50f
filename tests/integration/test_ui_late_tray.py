"""A tray that appears after the app: the icon takes over from the small window, on either kind of tray."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.support.app import running_app
from tests.support.desktop import Person
from tests.support.programs import Program, find
from tests.support.screen import open_screen
from tests.support.tray_host import tray_host
from tests.support.waiting import until


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody whose desktop has no tray yet."""
    with open_screen(tray=False) as screen:
        yield Person(screen)


@asynccontextmanager
async def tray(kind: str, person: Person) -> AsyncIterator[None]:
    """An X11 panel, or the D-Bus service of newer desktops."""
    if kind == "dbus":
        async with tray_host(person.screen.env["DBUS_SESSION_BUS_ADDRESS"]) as host:
            yield
            await host.icon()
        return
    with ExitStack() as stack:
        program = Program([find("tint2")], person.screen.env)
        stack.callback(program.end)
        yield
        await until(person.tray_icon, "the icon")


@pytest.mark.parametrize("kind", ["x11", "dbus"])
async def test_the_icon_takes_over_from_the_small_window(person: Person, kind: str) -> None:
    async with running_app(person) as app:
        await until(lambda: person.windows("^Seedshot$"), "the small window")
        async with tray(kind, person):
            await until(lambda: not person.windows("^Seedshot$"), "its end")
            assert await app.is_online()
