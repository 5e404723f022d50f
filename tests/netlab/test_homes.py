"""The whole product between two home networks: a server on a public host, the owner and the viewer behind routers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.netlab import namespaces
from tests.netlab.lab import PUBLIC_ADDRESS, Nat, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.transfer import browser_in
from tests.support.browsers import Tab
from tests.support.terminal import Share, share_command, signal_command
from tests.support.viewer_page import picture_on, says

LINK = LinkOptions(0.010, rate=50e6, queue=500_000)
PORT = 21880
SIZE = (320, 200)
NOISE = Image.frombytes("RGB", SIZE, os.urandom(SIZE[0] * SIZE[1] * 3))
HOMES = [
    (Nat.PORT_RESTRICTED, Nat.PORT_RESTRICTED),
    (Nat.FULL_CONE, Nat.PORT_RESTRICTED),
    (Nat.PORT_RESTRICTED, Nat.FULL_CONE),
]


@asynccontextmanager
async def opened(
    home: Path, owner: Nat, viewer: Nat, *server: str, browser: str = "chromium"
) -> AsyncIterator[tuple[Share, Tab]]:
    """A share of NOISE and a tab that has opened its link; `server`: arguments of ``seedshot-signal``."""
    file = home / "noise.png"
    NOISE.save(file)
    with open_lab(LINK, nat=viewer, owner_nat=owner, with_public=True) as lab:
        async with AsyncExitStack() as stack:
            with namespaces.inside(lab.public):
                await stack.enter_async_context(signal_command(home, PORT, *server, host=""))
            with namespaces.inside(lab.owner):
                url = f"http://{PUBLIC_ADDRESS}:{PORT}"
                share = await stack.enter_async_context(share_command(home, file, server=url))
            tab = await stack.enter_async_context(browser_in(lab.viewer, browser))
            await tab.go(share.link)
            yield share, tab


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize(("owner", "viewer"), HOMES, ids=lambda nat: nat.value)
async def test_a_link_opens_between_two_homes(tmp_path: Path, owner: Nat, viewer: Nat, browser: str) -> None:
    async with opened(tmp_path, owner, viewer, browser=browser) as (share, tab):
        assert (await picture_on(tab)).tobytes() == NOISE.tobytes()
        assert (await share.event("viewer_joined"))["direct"] is True


@pytest.mark.timeout(120)
async def test_without_stun_it_does_not_and_the_page_says_so(tmp_path: Path) -> None:
    """So the tests above can fail; and an owner who cannot be reached is told of as ever."""
    async with opened(tmp_path, Nat.PORT_RESTRICTED, Nat.PORT_RESTRICTED, "--no-stun") as (_, tab):
        await says(tab, "No way through to the owner", 40.0)
