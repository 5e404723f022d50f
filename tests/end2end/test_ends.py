"""Whatever dies under the story: the server, the engine, the app, the person's patience. Pages say so, and heal."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.app import App, running_app
from tests.support.browsers import Browser
from tests.support.desktop import Person, shown_picture
from tests.support.programs import free_port
from tests.support.terminal import Server, signal_command
from tests.support.viewer_page import picture_on, says
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEFT, TOP, WIDTH, HEIGHT = 200, 120, 320, 200
QUIT = ("Up", "Return")
NOTICED_S = 45.0
"""A browser may take as long to notice that a peer has vanished without a word (RFC 7675: 30 s)."""


@pytest.fixture
def picture() -> Image.Image:
    """Noise: any wrong pixel shows."""
    return Image.frombytes("RGB", (WIDTH, HEIGHT), os.urandom(WIDTH * HEIGHT * 3))


@asynccontextmanager
async def shared(person: Person, home: Path, picture: Image.Image) -> AsyncIterator[tuple[App, Server, str]]:
    """The app with a server in a process of its own, and the link of what was captured."""
    async with signal_command(home) as server, running_app(person, server_url=server.url) as app:
        with shown_picture(person, picture, LEFT, TOP):
            link = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        yield app, server, link


async def test_the_server_is_killed_and_comes_back(
    person: Person, browser: Browser, picture: Image.Image, home: Path
) -> None:
    async with (
        signal_command(home) as server,
        running_app(person, server_url=server.url) as app,
        AsyncExitStack() as stack,
    ):
        with shown_picture(person, picture, LEFT, TOP):
            first = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
            before = await stack.enter_async_context(browser.opened(first))
            assert (await picture_on(before)).tobytes() == picture.tobytes()
            await server.kill()
            await until(lambda: _server_is(app, "offline", "connecting"), "the app notices")
            second = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        assert second != first, "a link is copied without any network"
        await app.share_with(link=first, viewers=1)
        assert (await picture_on(before)).tobytes() == picture.tobytes()
        await stack.enter_async_context(signal_command(home, server.port))
        await until(app.is_online, "the app finds the server again")
        for link in (first, second):
            async with browser.opened(link) as tab:
                assert (await picture_on(tab)).tobytes() == picture.tobytes()


async def test_a_waiting_page_goes_on_by_itself(
    person: Person, browser: Browser, picture: Image.Image, home: Path
) -> None:
    async with shared(person, home, picture) as (app, server, link):
        os.kill(app.engine(), signal.SIGSTOP)
        await server.kill()
        async with signal_command(home, server.port), browser.opened(link) as tab:
            await says(tab, "Waiting for the owner")
            os.kill(app.engine(), signal.SIGCONT)
            assert (await picture_on(tab, 30.0)).tobytes() == picture.tobytes()


async def test_the_engine_is_killed_and_links_heal(person: Person, browser: Browser, picture: Image.Image) -> None:
    async with running_app(person, listen_port=free_port()) as app:
        with shown_picture(person, picture, LEFT, TOP):
            link = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        async with browser.opened(link) as before, browser.opened("about:blank") as after:
            await picture_on(before)
            killed = app.engine()
            os.kill(killed, signal.SIGKILL)
            await until(lambda: app.engine() not in {0, killed}, "another engine")
            await until(app.is_online, "the app is online again")
            await after.go(link)
            assert (await picture_on(after)).tobytes() == picture.tobytes()
            assert (await picture_on(before)).tobytes() == picture.tobytes()
            await app.share_with(NOTICED_S, link=link, viewers=2)


async def test_the_app_is_killed_and_nothing_seeds_on(
    person: Person, browser: Browser, picture: Image.Image, home: Path
) -> None:
    async with (
        shared(person, home, picture) as (app, _, link),
        browser.opened(link) as before,
        browser.opened("about:blank") as late,
    ):
        await picture_on(before)
        engine = app.engine()
        app.program.kill()
        await until(lambda: not Path(f"/proc/{engine}").exists(), "the end of the engine", 5.0)
        await late.go(link)
        await late.wait_for("document.body.dataset.phase === 'waiting' || document.body.dataset.phase === 'ended'")
        await before.wait_for("document.body.classList.contains('away') || document.body.dataset.phase === 'ended'")


async def test_the_engine_is_killed_outright_and_the_page_says_so(
    person: Person, browser: Browser, picture: Image.Image, home: Path
) -> None:
    async with shared(person, home, picture) as (app, _, link), browser.opened(link) as tab:
        await picture_on(tab)
        engine = app.engine()
        os.kill(app.program.pid, signal.SIGSTOP)  # so that it does not start another one
        os.kill(engine, signal.SIGKILL)
        await tab.wait_for("document.body.classList.contains('away')", NOTICED_S)
        assert "The owner is not connected" in await tab.text()
        os.kill(app.program.pid, signal.SIGCONT)


async def test_quitting_takes_everything_back(
    person: Person, browser: Browser, picture: Image.Image, home: Path
) -> None:
    async with (
        shared(person, home, picture) as (app, _, link),
        browser.opened(link) as before,
        browser.opened("about:blank") as late,
    ):
        await picture_on(before)
        await app.choose_in_tray(*QUIT)
        await says(before, "Taken back by the owner")
        assert await asyncio.to_thread(app.program.wait) == 0
        await late.go(link)
        await says(late, "Taken back by the owner")


async def _server_is(app: App, *states: str) -> bool:
    return (await app.ask("list"))["server"] in states
