"""How a page begins: the owner is asked before a module is here, once, and a lone picture needs no question."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from PIL import Image
from playwright.async_api import Route

from seedshot_desktop.seed import link as links
from seedshot_desktop.seed.messages import MemoryFile, ViewerJoined
from signal_server.server import ServerConfig, SignalServer
from tests.support.browsers import Browser
from tests.support.chromium import Chromium, ChromiumTab
from tests.support.owner import Owner
from tests.support.scripted_owner import ScriptedOwner, scripted_owner
from tests.support.viewer_page import picture_on, says
from tests.support.waiting import until, within

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOISE = Image.frombytes("RGB", (320, 200), os.urandom(320 * 200 * 3))


def png() -> bytes:
    """NOISE as PNG."""
    target = io.BytesIO()
    NOISE.save(target, "PNG")
    return target.getvalue()


DATA = png()
BEGUN = {"request": 0, "file": 0, "offset": 0}
"""What an owner sends before it is asked."""


@asynccontextmanager
async def online() -> AsyncIterator[ScriptedOwner]:
    """An owner at a server."""
    async with SignalServer(ServerConfig(host="127.0.0.1")) as server:
        async with scripted_owner(f"http://127.0.0.1:{server.address[1]}") as owner:
            yield owner


@asynccontextmanager
async def held_back(chromium: Chromium, pattern: str) -> AsyncIterator[tuple[ChromiumTab, asyncio.Event]]:
    """A tab that gets the files of `pattern` when the event is set, and what it may complain of: nothing."""
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await within(released.wait(), "the test to let the file go")
        await route.continue_()

    async with AsyncExitStack() as stack:
        tab = await chromium.tab()
        stack.push_async_callback(tab.close)
        await tab.page.route(pattern, hold)
        yield tab, released
        assert tab.problems == []


@pytest.mark.parametrize("late", ["**/main.js", "**/page.js", "**/viewer.css"])
async def test_the_owner_is_asked_before_a_module_is_here(chromium: Chromium, late: str) -> None:
    async with online() as owner, held_back(chromium, late) as (tab, released):
        await tab.page.goto(owner.link, wait_until="commit")
        await until(lambda: bool(owner.visits), "the page's question")
        released.set()
        visit = await owner.visit()
        visit.offer_files(("Screenshot.png", len(DATA), "image/png"))
        await visit.send(await visit.hear("get"), DATA)
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        assert len(owner.visits) == 1, "it asks once"
        names = await tab.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name).join()")
        assert "begin.js" not in names, "it came with the page"


async def test_a_page_whose_code_does_not_come_says_so_and_uses_no_view_up(chromium: Chromium) -> None:
    failing = asyncio.Event()

    async def fail(route: Route) -> None:
        await within(failing.wait(), "the test to let the file fail")
        await route.abort()

    async with online() as owner, AsyncExitStack() as stack:
        tab = await chromium.tab()
        stack.push_async_callback(tab.close)
        await tab.page.route("**/page.js", fail)
        await tab.page.goto(owner.link, wait_until="commit")
        visit = await owner.visit()
        visit.offer_files(("Screenshot.png", len(DATA), "image/png"), begun=True)
        await visit.send(BEGUN, DATA)
        await until(lambda: visit.peer.buffered_amount == 0, "the picture to leave")
        visit.say("ping")
        await visit.hear("pong")  # all of it has come
        failing.set()
        await says(tab, "This page could not be loaded")
        await visit.hear("bye")
        assert visit.acknowledged < len(DATA)
        tab.problems.clear()  # the browser names the missing file
        await tab.page.unroute("**/page.js")
        await tab.page.click("text=Try again")
        visit = await owner.visit()
        visit.offer_files(("Screenshot.png", len(DATA), "image/png"), begun=True)
        await visit.send(BEGUN, DATA)
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        await visit.acknowledges(len(DATA))


async def test_a_link_that_is_none_goes_no_further(browser: Browser) -> None:
    async with online() as owner:
        damaged = owner.link[:-1] + ("B" if owner.link[-1] != "B" else "C")  # bits that are no part of the last byte
        async with browser.opened(damaged) as tab:
            await says(tab, "This link is not whole")
            assert await tab.evaluate("window.begun.line.socket.readyState >= WebSocket.CLOSING"), "it is let go"


@pytest.mark.parametrize("overtaken", [False, True])
async def test_what_the_owner_begins_needs_no_question(browser: Browser, overtaken: bool) -> None:
    async with online() as owner, browser.opened(owner.link) as tab:
        visit = await owner.visit()
        if overtaken:
            await visit.send(BEGUN, DATA)
        visit.offer_files(("Screenshot.png", len(DATA), "image/png"), begun=True)
        if not overtaken:
            await visit.send(BEGUN, DATA)
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        await visit.acknowledges(len(DATA))
        assert visit.heard.empty(), "it has asked for nothing"


async def test_a_link_whose_secret_is_damaged_is_said_to_be_so_and_a_whole_one_shows_the_picture(
    browser: Browser,
) -> None:
    async with Owner() as owner:
        share = await owner.share(MemoryFile("Screenshot.png", "image/png", DATA))
        whole = links.parse(share.link)
        damaged = links.Link(whole.base_url, whole.id, bytes(16), whole.pin)
        async with browser.opened(str(damaged)) as tab:
            await says(tab, "The link was not accepted")
        assert owner.all(ViewerJoined) == []
        async with browser.opened(share.link) as tab:
            assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
            await owner.saw(ViewerJoined)
