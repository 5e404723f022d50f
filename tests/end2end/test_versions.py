"""The engine dies in the middle of a download: what the browser saves in the end is one version of the file, whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import DiskFile, EngineOptions, Keys, Seed, Shared, StatusChanged, ViewerProgressed
from tests.support.browsers import Browser
from tests.support.engine_child import EngineChild
from tests.support.terminal import signal_command
from tests.support.viewer_page import PHASE

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 12_000_000
LIMIT = 4_000_000
"""Bytes a second: it takes three seconds."""
NOTICED_S = 45.0
"""A browser may take long to notice that a peer has vanished without a word; see test_ends."""
_SAVE = "document.querySelector('#list-of-files li [aria-label^=Save]').click()"


async def test_a_file_that_changed_before_the_next_engine_is_saved_whole(
    browser: Browser, home: Path, tmp_path: Path
) -> None:
    old, new = os.urandom(SIZE), os.urandom(SIZE)
    path = tmp_path / "report.bin"
    path.write_bytes(old)
    saved, sent = await _saved(browser, home, path, lambda: path.write_bytes(new))
    assert saved == new
    assert sent == SIZE


async def test_a_file_that_is_the_same_in_the_next_engine_goes_on_where_it_was(
    browser: Browser, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(os.urandom(SIZE))
    saved, sent = await _saved(browser, home, path, lambda: None)
    assert saved == path.read_bytes()
    assert sent < SIZE


async def _saved(browser: Browser, home: Path, path: Path, meanwhile: Callable[[], object]) -> tuple[bytes, int]:
    """What is saved of the file at `path`, and how many bytes of it the second engine has sent."""
    keys = link.mint()
    wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
    seed = Seed(wire, "a file", files=(DiskFile(path.name, "", str(path)),))
    async with signal_command(home) as server, browser.opened("about:blank") as tab:
        options = EngineOptions(server_url=server.url, upload_limit=LIMIT)
        async with EngineChild(options) as first:
            first.send(seed)
            await first.saw(Shared)
            await tab.go(str(keys.link(server.url)))
            await tab.wait_for(f"{PHASE} === 'files'")
            saving = asyncio.create_task(tab.saved_by(_SAVE, NOTICED_S), name="saving")
            halfway = await first.saw(ViewerProgressed, lambda event: event.held > 0)
            assert halfway.held < SIZE
            first.process.kill()
            await first.exit_code()
        meanwhile()
        async with EngineChild(options) as second:
            second.send(seed)
            _, content = await saving
            return content, await _sent(second)


async def _sent(engine: EngineChild) -> int:
    """Bytes that the page has had of this engine, once it has acknowledged the last one."""
    told = await engine.saw(StatusChanged, lambda event: any(share.views for share in event.status.shares))
    return told.status.shares[0].bytes_sent
