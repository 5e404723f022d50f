"""The user's story, for real: press, select, paste, open, revoke."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from tests.support.app import running_app
from tests.support.browsers import Browser
from tests.support.desktop import Person, shown_picture
from tests.support.viewer_page import is_emptied, picture_on, picture_url, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

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
            share = await app.share_with(link=link, viewers=1, views=1)
            url = await picture_url(tab)
            assert (await app.ask("revoke", share=share["share"]))["ok"]
            await says(tab, "Taken back by the owner")
            await is_emptied(tab, url)
            assert await app.shares() == []
            await late.go(link)
            await says(late, "Taken back by the owner")
