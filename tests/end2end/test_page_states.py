"""Every state of the viewer's page in real browsers, with an owner that does what the test says."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from PIL import Image

from signal_server.protocol import EndedReason
from signal_server.server import ServerConfig, SignalServer
from tests.support.browsers import Browser, Tab
from tests.support.scripted_owner import ScriptedOwner, Visit, scripted_owner
from tests.support.viewer_page import PHASE, is_emptied, picture_on, picture_url, says
from tests.support.waiting import within

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOISE = Image.frombytes("RGB", (320, 200), os.urandom(320 * 200 * 3))


def png(image: Image.Image = NOISE) -> bytes:
    """`image` as PNG."""
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


DATA = png()
DISCONNECTED_S = 25.0
"""Browsers notice after 5 to 15 s that no packet comes any more."""
HALF = (len(DATA) + 1) // 2
PICTURE = ("Screenshot.png", len(DATA), "image/png")


@asynccontextmanager
async def running_server() -> AsyncIterator[str]:
    """A signalling server; its base URL."""
    async with SignalServer(ServerConfig(host="127.0.0.1")) as server:
        yield f"http://127.0.0.1:{server.address[1]}"


@asynccontextmanager
async def visited(browser: Browser) -> AsyncIterator[tuple[ScriptedOwner, Visit, Tab]]:
    """An owner, a tab that shows its link, and the visit, admitted to nothing yet."""
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(running_server())
        owner = await stack.enter_async_context(scripted_owner(base_url))
        tab = await stack.enter_async_context(browser.opened(owner.link))
        yield owner, await owner.visit(), tab


async def show_picture(visit: Visit, tab: Tab) -> str:
    """The picture from its manifest to the stage; its object URL."""
    visit.offer_files(PICTURE)
    await visit.send(await visit.hear("get"), DATA)
    await visit.acknowledges(len(DATA))
    assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
    return await picture_url(tab)


async def test_preparing_receiving_shown(browser: Browser) -> None:
    async with visited(browser) as (_, visit, tab):
        visit.say("waiting")
        await says(tab, "Almost there")
        visit.offer_files(PICTURE)
        get = await visit.hear("get")
        await visit.send(get, DATA, until_byte=HALF)
        await tab.wait_for("document.getElementById('meter').getAttribute('aria-valuenow') === '50'")
        await says(tab, "Screenshot.png")
        await visit.send({**get, "offset": HALF}, DATA)
        await visit.acknowledges(len(DATA))
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        assert "Gone when they close it" in await tab.text()
        assert await tab.evaluate("document.title") == "Seedshot"


async def test_a_closed_page_is_known_at_once(browser: Browser) -> None:
    async with running_server() as base_url, scripted_owner(base_url) as owner:
        tab = await browser.open(owner.link)
        visit = await owner.visit()
        await show_picture(visit, tab)
        await tab.close()
        await within(visit.ended.wait(), "the end of the connection")
        if browser.name == "Chromium":  # Firefox often drops what a page says in its last moment
            await visit.hear("bye")


async def test_a_reloaded_page_starts_afresh(browser: Browser) -> None:
    async with visited(browser) as (owner, visit, tab):
        await show_picture(visit, tab)
        await tab.evaluate("void location.reload()")
        again = await owner.visit()
        await show_picture(again, tab)


async def test_it_waits_for_an_owner_and_heals(browser: Browser) -> None:
    async with running_server() as base_url:
        owner = ScriptedOwner(base_url)
        async with browser.opened(owner.link) as tab:
            await says(tab, "Waiting for the owner")
            await owner.come()
            await owner.visit()
            await owner.go()
            await says(tab, "The owner is not online", DISCONNECTED_S)
            await owner.come()
            await show_picture(await owner.visit(), tab)
            await owner.go()


async def test_a_broken_connection_goes_on_at_the_offset(browser: Browser) -> None:
    async with visited(browser) as (owner, visit, tab):
        visit.offer_files(PICTURE)
        await visit.send(await visit.hear("get"), DATA, until_byte=100_000)
        await visit.acknowledges(100_000)
        await visit.peer.close()
        again = await owner.visit()
        again.offer_files(PICTURE)
        get = await again.hear("get")
        assert get["offset"] == 100_000
        await again.send(get, DATA)
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()


async def test_a_shown_picture_stays_while_the_owner_is_away(browser: Browser) -> None:
    async with visited(browser) as (owner, visit, tab):
        await show_picture(visit, tab)
        await owner.leave_server()
        await visit.peer.close()
        await tab.wait_for("document.body.classList.contains('away')")
        assert "The owner is not connected" in await tab.text()
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        await owner.come()
        again = await owner.visit()
        again.offer_files(PICTURE)
        assert (await again.hear("get"))["offset"] == len(DATA)
        await again.acknowledges(len(DATA))
        await tab.wait_for("!document.body.classList.contains('away')")


async def test_a_lost_server_costs_a_running_transfer_nothing(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SignalServer(ServerConfig(host="127.0.0.1")))
        owner = await stack.enter_async_context(scripted_owner(f"http://127.0.0.1:{server.address[1]}"))
        tab = await stack.enter_async_context(browser.opened(owner.link))
        visit = await owner.visit()
        visit.offer_files(PICTURE)
        get = await visit.hear("get")
        await visit.send(get, DATA, until_byte=100_000)
        await server.close()
        await visit.send({**get, "offset": 100_000}, DATA)
        await visit.acknowledges(len(DATA))
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()


ENDS = {
    "revoked": "Taken back by the owner",
    "expired": "This link has expired",
    "dismissed": "The owner ended your visit",
    "refused": "The link was not accepted",
}


@pytest.mark.parametrize("reason", ENDS)
async def test_the_owner_ends_it_and_nothing_is_left(browser: Browser, reason: str) -> None:
    async with visited(browser) as (_, visit, tab):
        url = await show_picture(visit, tab)
        await visit.end(reason)
        await says(tab, ENDS[reason])
        await is_emptied(tab, url)


async def test_the_server_passes_the_end_on(browser: Browser) -> None:
    async with visited(browser) as (owner, visit, tab), browser.opened("about:blank") as late:
        url = await show_picture(visit, tab)
        await owner.revoke(EndedReason.EXPIRED)
        await says(tab, "This link has expired")
        await is_emptied(tab, url)
        await late.go(owner.link)
        await says(late, "This link has expired")


async def test_a_full_share_is_asked_again(browser: Browser) -> None:
    async with visited(browser) as (owner, visit, tab):
        await visit.end("full")
        await says(tab, "Many people are looking right now")
        await show_picture(await owner.visit(), tab)


async def test_somebody_else_answers(browser: Browser) -> None:
    other = ":".join(f"{byte:02X}" for byte in os.urandom(32))
    async with running_server() as base_url, scripted_owner(base_url) as owner:
        owner.rewrite = lambda sdp: sdp.replace(owner.certificate.fingerprint, other)
        async with browser.opened(owner.link) as tab:
            await says(tab, "This is not the owner")
            assert "tampering" in await tab.text()
            (visit,) = owner.visits
            assert visit.heard.empty()


async def test_an_owner_that_lies_about_a_size(browser: Browser) -> None:
    async with visited(browser) as (_, visit, tab):
        visit.offer_files(("a.png", 1000, "image/png"))
        await visit.send(await visit.hear("get"), DATA[:1001])
        await says(tab, "This could not be understood")
        assert await tab.evaluate("document.querySelectorAll('#stage *').length") == 0


async def test_a_file_that_vanishes_on_the_way(browser: Browser) -> None:
    async with visited(browser) as (_, visit, tab):
        visit.offer_files(PICTURE)
        await visit.send(await visit.hear("get"), DATA, until_byte=1000)
        visit.say("failed", file=0, reason="vanished")
        await tab.wait_for(f"{PHASE} === 'files'")
        assert "no longer on the owner’s computer" in await tab.text()


BROKEN = {
    "": "There is no share in this link",
    "#": "There is no share in this link",
    "#AQ": "This link is not whole",
    "#%F0%9F%99%82": "This link is not whole",
    "#" + "Ag" + "A" * 56: "This link is of another version",
}


@pytest.mark.parametrize("fragment", BROKEN)
async def test_a_link_that_is_none(browser: Browser, fragment: str) -> None:
    async with running_server() as base_url, browser.opened(f"{base_url}/{fragment}") as tab:
        await says(tab, BROKEN[fragment])


async def test_names_are_text_and_files_that_are_no_pictures_stay_files(browser: Browser) -> None:
    names = ("<img src=x onerror=\"document.title='run'\">.svg", "a\u202egnp.exe", "x" * 300 + ".txt", "")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='run'\"/>"
    async with visited(browser) as (_, visit, tab):
        visit.offer_files(*((name, len(svg), "image/svg+xml") for name in names), ("not.png", len(svg), "image/png"))
        await tab.wait_for("document.querySelectorAll('.file').length === 5")
        shown = await tab.evaluate("[...document.querySelectorAll('.file-name')].map(name => name.textContent)")
        assert shown[0] == names[0]
        assert shown[1] == "agnp.exe"
        assert 100 < len(shown[2]) < 200
        assert shown[2].endswith(".txt")
        assert shown[3] == "file"
        await tab.evaluate("document.querySelector('.file:last-child [aria-label^=Show]').click()")
        await visit.send(await visit.hear("get"), svg)
        await visit.acknowledges(len(svg))
        await tab.wait_for(f"{PHASE} === 'files'")
        assert await tab.evaluate("document.querySelectorAll('img').length") == 0
        assert await tab.evaluate("document.title") == "Seedshot"


async def test_one_of_several_pictures_is_shown_and_left_again(browser: Browser) -> None:
    async with visited(browser) as (_, visit, tab):
        visit.offer_files(("notes.txt", 0, "text/plain"), PICTURE)
        await tab.wait_for("document.querySelectorAll('.file').length === 2")
        await tab.evaluate("document.querySelector('[aria-label=\"Show Screenshot.png\"]').click()")
        await visit.send(await visit.hear("get"), DATA)
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        await tab.evaluate("document.getElementById('back').click()")
        await tab.wait_for(f"{PHASE} === 'files' && document.querySelector('#stage img') === null")
        assert "Received" in await tab.text()


async def test_shares_do_not_mix(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(running_server())
        owners = [await stack.enter_async_context(scripted_owner(base_url)) for _ in range(5)]
        tabs = [await stack.enter_async_context(browser.opened(owner.link)) for owner in owners]
        images = [Image.new("RGB", (20 + index, 10), (index * 40, 0, 0)) for index in range(5)]
        for owner, image in zip(owners, images, strict=True):
            data = png(image)
            visit = await owner.visit()
            visit.offer_files(("a.png", len(data), "image/png"))
            await visit.send(await visit.hear("get"), data)
        shown = await asyncio.gather(*map(picture_on, tabs))
        assert [one.tobytes() for one in shown] == [image.tobytes() for image in images]
