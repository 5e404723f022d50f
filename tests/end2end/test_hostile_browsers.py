"""A signalling server that lies, and real browsers: it learns no secret and gets no byte, and the page says why."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image

from seedshot_desktop.seed.messages import EngineOptions, MemoryFile, ViewerJoined
from tests.support.browsers import Browser
from tests.support.hostile_server import ATTACKS, WRONG_PIN, Attack, HostileServer, ReplayOffer
from tests.support.owner import Owner
from tests.support.viewer_page import PHASE, picture_on, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNREACHABLE_S = 30.0
"""A connection that can never open is given up after 20 s; the browsers themselves may say so earlier."""


@pytest.fixture
def picture() -> Image.Image:
    """Noise: any wrong pixel shows."""
    return Image.frombytes("RGB", (160, 100), os.urandom(160 * 100 * 3))


@pytest.fixture
def file(picture: Image.Image) -> MemoryFile:
    held = io.BytesIO()
    picture.save(held, "PNG")
    return MemoryFile("picture.png", "image/png", held.getvalue())


@pytest.mark.parametrize("attack", [Attack, ReplayOffer])
async def test_what_does_no_harm_lets_the_picture_through(
    browser: Browser, file: MemoryFile, picture: Image.Image, attack: type[Attack]
) -> None:
    async with HostileServer(attack) as server, Owner(EngineOptions(server_url=server.base_url)) as owner:
        share = await owner.share(file)
        async with browser.opened(share.link) as tab:
            assert (await picture_on(tab)).tobytes() == picture.tobytes()
            assert len(owner.all(ViewerJoined)) == 1
        assert server.overheard == []


@pytest.mark.parametrize("name", sorted(WRONG_PIN))
async def test_an_impostor_is_told_nothing_and_named(browser: Browser, file: MemoryFile, name: str) -> None:
    async with HostileServer(ATTACKS[name]) as server, Owner(EngineOptions(server_url=server.base_url)) as owner:
        share = await owner.share(file)
        async with browser.opened(share.link) as tab:
            await says(tab, "This is not the owner")
            assert await tab.evaluate(PHASE) == "impostor"
            assert "does not have the key that your link names" in await tab.text()
        _nothing_was_got(server, owner, 0)


async def test_other_candidates_lead_nowhere(browser: Browser, file: MemoryFile) -> None:
    attack = ATTACKS["substitutes the candidates"]
    async with HostileServer(attack) as server, Owner(EngineOptions(server_url=server.base_url)) as owner:
        share = await owner.share(file)
        async with browser.opened(share.link) as tab:
            await says(tab, "No way through to the owner", UNREACHABLE_S)
        _nothing_was_got(server, owner, 0)


async def test_an_answer_to_somebody_else_leads_nowhere(browser: Browser, file: MemoryFile) -> None:
    attack = ATTACKS["replays an answer"]
    async with HostileServer(attack) as server, Owner(EngineOptions(server_url=server.base_url)) as owner:
        share = await owner.share(file)
        async with browser.opened(share.link) as first, browser.opened("about:blank") as second:
            await picture_on(first)
            await second.go(share.link)
            await says(second, "No way through to the owner", UNREACHABLE_S)
        _nothing_was_got(server, owner, 1)


def _nothing_was_got(server: HostileServer, owner: Owner, honest: int) -> None:
    assert server.overheard == [], "the server heard a secret"
    assert server.loot == b"", "file data reached the server"
    assert len(owner.all(ViewerJoined)) == honest, "the owner let somebody else in"
