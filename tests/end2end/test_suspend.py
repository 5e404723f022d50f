"""A laptop sleeps: the app and its engine stand still until the server gives them up, wake, and links work again."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import pytest
from PIL import Image

from signal_server.limits import Limits
from signal_server.server import ServerConfig, SignalServer
from tests.support.app import App, running_app
from tests.support.browsers import Browser
from tests.support.desktop import Person, shown_picture
from tests.support.tray_host import Icon, tray_host
from tests.support.viewer_page import picture_on, says
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEFT, TOP, WIDTH, HEIGHT = 200, 120, 320, 200
GIVEN_UP = Limits(ping_s=1.0)
"""Who answers nothing for so long is gone: a server's usual twenty seconds, shortened."""
AWAY = "document.body.classList.contains('away')"
HEALED_S = 40.0
"""A page's pauses between two tries grow; a browser takes up to 30 s to see that a peer is gone (RFC 7675)."""


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[SignalServer]:
    async with SignalServer(ServerConfig(host="127.0.0.1", port=port, limits=GIVEN_UP)) as server:
        yield server


@contextmanager
def asleep(app: App) -> Iterator[None]:
    """Neither process runs, as when the lid is closed; their sockets stay, and nobody answers on them."""
    processes = (app.program.pid, app.engine())
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


async def tooltip(icon: Icon) -> str:
    """What the tray says."""
    return str((await icon.look())["ToolTip"][2])


async def test_after_a_sleep_links_work_again_by_themselves(person: Person, browser: Browser) -> None:
    picture = Image.frombytes("RGB", (WIDTH, HEIGHT), os.urandom(WIDTH * HEIGHT * 3))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving())
        port = first.address[1]
        host = await stack.enter_async_context(tray_host(person.screen.env["DBUS_SESSION_BUS_ADDRESS"]))
        app = await stack.enter_async_context(running_app(person, server_url=f"http://127.0.0.1:{port}"))
        icon = await host.icon()
        with shown_picture(person, picture, LEFT, TOP):
            link = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        before = await stack.enter_async_context(browser.opened(link))
        assert (await picture_on(before)).tobytes() == picture.tobytes()
        engine, idle = app.engine(), (await icon.look())["IconPixmap"]
        with asleep(app):
            await until(lambda: not first.counts().owners, "the server gives the owner up")
            late = await stack.enter_async_context(browser.opened(link))
            await says(late, "The owner is not online")
            await before.wait_for(AWAY, HEALED_S)
            await first.close()
        await until(lambda: _says_away(icon), "word in the tray that the network is not back yet", HEALED_S)
        assert (await icon.look())["IconPixmap"] != idle
        await stack.enter_async_context(serving(port))
        await until(lambda: _says_all_is_well(icon), "the end of it in the tray", HEALED_S)
        assert app.engine() == engine, "an engine that slept is no engine that hangs"
        assert (await picture_on(late, HEALED_S)).tobytes() == picture.tobytes()
        await before.wait_for(f"!{AWAY}", HEALED_S)
        assert (await picture_on(before)).tobytes() == picture.tobytes()
        async with browser.opened(link) as fresh:
            assert (await picture_on(fresh)).tobytes() == picture.tobytes()
        await app.ask("revoke", all=True)
        for tab in (before, late):
            await says(tab, "Taken back by the owner")


async def _says_away(icon: Icon) -> bool:
    return "\n" in await tooltip(icon)


async def _says_all_is_well(icon: Icon) -> bool:
    return (await tooltip(icon)).startswith("Seedshot: 1 share") and "\n" not in await tooltip(icon)


async def test_an_owner_who_was_given_up_is_let_in_again(person: Person, browser: Browser) -> None:
    """The server has given the owner up, and is there when the owner wakes."""
    picture = Image.frombytes("RGB", (WIDTH, HEIGHT), os.urandom(WIDTH * HEIGHT * 3))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving())
        app = await stack.enter_async_context(
            running_app(person, server_url=f"http://127.0.0.1:{server.address[1]}", notifications=False)
        )
        with shown_picture(person, picture, LEFT, TOP):
            link = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        await until(lambda: server.counts().shares, "the server knows the share")
        with asleep(app):
            await until(lambda: not server.counts().owners, "the server gives the owner up")
            tab = await stack.enter_async_context(browser.opened(link))
            await says(tab, "The owner is not online")
        assert (await picture_on(tab, HEALED_S)).tobytes() == picture.tobytes()
        await app.share_with(link=link, viewers=1, views=1)
