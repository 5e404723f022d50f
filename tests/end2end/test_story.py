"""The user's story, for real: press, select, paste, open, revoke."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.support.app import App, running_app
from tests.support.browsers import Browser
from tests.support.chromium import Chromium
from tests.support.desktop import Person, shown_picture
from tests.support.viewer_page import is_emptied, picture_on, picture_url, says
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

REVOKE_NEWEST = ("Down", "Down", "Down", "Down", "Right", "Up", "Return")
"""Past the two captures and the files to the newest share; the last line of its submenu."""
REVOKE_ALL = ("Up", "Up", "Up", "Up", "Return")
"""From the end: quit, settings, shares, revoke all."""
SAVE = "document.querySelector('#list-of-files [aria-label^=Save]')"
LEFT, TOP, WIDTH, HEIGHT = 200, 120, 320, 200


@pytest.fixture
def picture() -> Image.Image:
    """Noise: any wrong pixel shows."""
    return Image.frombytes("RGB", (WIDTH + 40, HEIGHT + 40), os.urandom((WIDTH + 40) * (HEIGHT + 40) * 3))


async def test_press_select_share_open_revoke(person: Person, browser: Browser, picture: Image.Image) -> None:
    async with running_app(person) as app:
        with shown_picture(person, picture, LEFT - 20, TOP - 20):
            link = await app.capture(LEFT, TOP, WIDTH, HEIGHT)
        async with browser.opened(link) as tab, browser.opened("about:blank") as late:
            shown = await picture_on(tab)
            assert shown.size == (WIDTH, HEIGHT)
            assert shown.tobytes() == picture.crop((20, 20, 20 + WIDTH, 20 + HEIGHT)).tobytes()
            await app.share_with(link=link, viewers=1, views=1)
            url = await picture_url(tab)
            await app.choose_in_tray(*REVOKE_NEWEST)
            await says(tab, "Taken back by the owner")
            await is_emptied(tab, url)
            await until(lambda: _none_left(app), "an empty list")
            await late.go(link)
            await says(late, "Taken back by the owner")


async def test_ten_viewers_at_once(person: Person, chromium: Chromium, picture: Image.Image) -> None:
    async with running_app(person) as app, AsyncExitStack() as stack:
        with shown_picture(person, picture, LEFT, TOP):
            link = await app.capture(LEFT, TOP, *picture.size)
        tabs = await asyncio.gather(*(stack.enter_async_context(chromium.opened(link)) for _ in range(10)))
        shown = await asyncio.gather(*map(picture_on, tabs))
        assert all(one.tobytes() == picture.tobytes() for one in shown)
        await app.share_with(link=link, viewers=10, views=10)
        await app.choose_in_tray(*REVOKE_ALL)
        await asyncio.gather(*(says(tab, "Taken back by the owner") for tab in tabs))


async def test_the_window_shows_who_is_looking_and_how_far_they_are(
    person: Person, browser: Browser, tmp_path: Path
) -> None:
    large = tmp_path / "holiday.bin"
    large.write_bytes(os.urandom(1 << 20) * 8)
    async with running_app(person, share_upload_limit_kib=1024, notifications=False) as app:
        link = (await app.ask("share", paths=[str(large)]))["link"]
        await app.ask("show", window="shares")
        (window,) = await until(lambda: person.windows("Shares"), "the shares window")
        nobody = await until(lambda: _steady(person, window), "a quiet window")
        async with browser.opened(link) as tab:
            await tab.wait_for(f"{SAVE} !== null")
            await tab.evaluate(f"{SAVE}.click()")
            share = await app.share_with(link=link, viewers=1)
            assert share["views"] == 0
            await until(lambda: person.look(person.place(window)).tobytes() != nobody, "the viewer in the window")
            early, bar = (await app.share_with(link=link))["bytes_sent"], _green(person, window)
            await until(lambda: _green(person, window) > bar + 50, "a longer progress bar")
            assert (await app.share_with(link=link))["bytes_sent"] > early
        await app.share_with(link=link, viewers=0, views=0)


async def test_a_capture_that_is_left_shares_nothing(person: Person) -> None:
    async with running_app(person) as app:
        await app.press_hotkey()
        await app.overlay()
        person.press("Escape")
        await app.no_overlay()
        assert await app.shares() == []
        assert person.clipboard() == ""


async def test_a_capture_is_in_no_file(person: Person, chromium: Chromium, picture: Image.Image) -> None:
    size = picture.width * picture.height * 3  # noise cannot be compressed, so no file with it is smaller
    async with running_app(person) as app:
        with shown_picture(person, picture, LEFT, TOP):
            before = app.large_files(size)
            link = await app.capture(LEFT, TOP, *picture.size)
        async with chromium.opened(link) as tab:
            await picture_on(tab)
            await app.share_with(link=link, viewers=1, views=1)
        assert app.large_files(size) == before
        saved = person.screen.home / "wanted.png"
        with shown_picture(person, picture, LEFT, TOP):
            await app.ask("capture", mode="screen", save=str(saved))
        assert app.large_files(size) == before | {saved}


async def test_enter_takes_the_whole_screen_pixel_for_pixel(person: Person, chromium: Chromium) -> None:
    async with running_app(person, notifications=False) as app:
        before = person.look()
        await app.press_hotkey()
        await app.overlay()
        person.press("Return")
        async with chromium.opened(await app.new_link()) as tab:
            assert (await picture_on(tab)).tobytes() == before.tobytes()


async def _none_left(app: App) -> bool:
    return await app.shares() == []


def _green(person: Person, window: int) -> int:
    """How many pixels of a window have the green of its progress bars."""
    red, green, blue = (band.point(lambda v: 255 * (v > 96)) for band in person.look(person.place(window)).split())
    others = ImageChops.lighter(red, blue)
    return ImageChops.subtract(green, others).histogram()[255]


def _steady(person: Person, window: int) -> bytes:
    """The pixels of a window when two looks at it see the same; empty otherwise."""
    first, second = (person.look(person.place(window)).tobytes() for _ in range(2))
    return first if first == second and len(set(first)) > 2 else b""
