"""``seedshot share`` from the terminal: the link opens in real browsers, and Ctrl+C takes it back."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.support.browsers import Browser
from tests.support.terminal import share_command, signal_command
from tests.support.viewer_page import is_emptied, picture_on, picture_url, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = (320, 200)


@pytest.fixture
def picture() -> Image.Image:
    """Noise: any wrong byte shows, and no codec makes it small."""
    return Image.frombytes("RGB", SIZE, os.urandom(SIZE[0] * SIZE[1] * 3))


@pytest.fixture
def file(tmp_path: Path, picture: Image.Image) -> Path:
    path = tmp_path / "a picture, äöü.png"
    picture.save(path)
    return path


async def test_a_picture_opens_and_goes_when_it_is_taken_back(
    browser: Browser, home: Path, file: Path, picture: Image.Image
) -> None:
    async with share_command(home, file) as share:
        async with browser.opened(share.link) as tab:
            assert (await picture_on(tab)).tobytes() == picture.tobytes()
            joined = await share.event("viewer_joined")
            assert joined["browser"].startswith(browser.calls_itself)
            assert joined["direct"] in {True, None}
            await share.event("viewed", viewer=joined["viewer"], views=1)
            url = await picture_url(tab)
            share.command.interrupt()
            await says(tab, "Taken back by the owner")
            await is_emptied(tab, url)
            left = await share.event("viewer_left", viewer=joined["viewer"])
            assert left["held"] == left["total"] == share.command.seen[0]["files"][0]["size"]
        assert await share.command.ended() == 0


async def test_a_viewer_who_closes_the_page_is_noticed_at_once(browser: Browser, home: Path, file: Path) -> None:
    async with share_command(home, file) as share:
        async with browser.opened(share.link) as tab:
            await picture_on(tab)
        left = await share.event("viewer_left", deadline_s=3.0)
        assert left["reason"] == "closed"


async def test_standard_input_is_shared_from_memory(browser: Browser, home: Path, picture: Image.Image) -> None:
    held = io.BytesIO()
    picture.save(held, "PNG")
    arguments = ("-", "--name", "piped.png")
    async with (
        share_command(home, *arguments, standard_input=held.getvalue()) as share,
        browser.opened(share.link) as tab,
    ):
        assert (await picture_on(tab)).tobytes() == picture.tobytes()
        assert "piped.png" in await tab.text()


async def test_a_link_that_was_used_up_shows_nothing_more(
    browser: Browser, home: Path, file: Path, picture: Image.Image
) -> None:
    async with (
        signal_command(home) as server,
        share_command(home, file, "--max-views", "1", server=server.url) as share,
    ):
        async with browser.opened(share.link) as first, browser.opened("about:blank") as second:
            assert (await picture_on(first)).tobytes() == picture.tobytes()
            await share.event("viewed", views=1)
            await second.go(share.link)
            await says(second, "This link has expired")


async def test_a_server_that_was_killed_costs_nothing(
    browser: Browser, home: Path, file: Path, picture: Image.Image
) -> None:
    async with signal_command(home) as server, share_command(home, file, server=server.url) as share:
        async with browser.opened(share.link) as before, browser.opened("about:blank") as after:
            await picture_on(before)
            await server.kill()
            await share.event("server_lost")
            assert (await picture_on(before)).tobytes() == picture.tobytes()
            async with signal_command(home, server.port):
                await share.event("server_back")
                await share.event("reachable")
                await after.go(share.link)
                assert (await picture_on(after)).tobytes() == picture.tobytes()
