"""Files of any kind and size, from the terminal into a browser's downloads, byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path

import pytest

from tests.support.browsers import Browser
from tests.support.chromium import Chromium
from tests.support.command_line import seedshot
from tests.support.terminal import share_command, signal_command
from tests.support.viewer_page import PHASE, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAYLOAD = 65536 - 12
"""Bytes of a file in one message of the data channel."""
SIZES = (0, 1, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 3 * PAYLOAD, 1_000_003)
LARGE = 24_000_000


async def test_files_at_the_seams_of_a_message_arrive_whole(browser: Browser, home: Path, tmp_path: Path) -> None:
    files = [_file(tmp_path / f"part {size}.bin", size) for size in SIZES]
    async with share_command(home, *files) as share, browser.opened(share.link) as tab:
        await tab.wait_for(f"{PHASE} === 'files'")
        for number, file in enumerate(files):
            name, content = await tab.saved_by(_save(number))
            assert name == file.name
            assert _digest(content) == _digest(file.read_bytes())
        await share.event("viewed", views=1)


async def test_a_download_goes_on_while_the_server_is_away(browser: Browser, home: Path, tmp_path: Path) -> None:
    file = _file(tmp_path / "large.bin", LARGE)
    async with signal_command(home) as server:
        words = ("--upload-limit", "8M", file)
        async with share_command(home, *words, server=server.url) as share, browser.opened(share.link) as tab:
            await tab.wait_for(f"{PHASE} === 'files'")
            saving = asyncio.create_task(tab.saved_by(_save(0)), name="saving")
            await share.event("progress")
            await server.kill()
            await share.event("server_lost")
            name, content = await saving
            assert name == file.name
            assert _digest(content) == _digest(file.read_bytes())


@pytest.mark.parametrize("option", ["--upload-limit", "--share-upload-limit"])
async def test_a_typed_limit_holds_whatever_settings_say(
    chromium: Chromium, home: Path, tmp_path: Path, option: str
) -> None:
    """600 KB at 200 KiB/s: three seconds, and some slack. Settings would have it take five minutes, or no time."""
    file = _file(tmp_path / "slow.bin", 600_000)
    for key in ("upload_limit_kib", "share_upload_limit_kib"):
        async with seedshot(home, "settings", key, "2") as command:
            assert await command.ended() == 0
    async with share_command(home, option, "200K", file) as share, chromium.opened(share.link) as tab:
        await tab.wait_for(f"{PHASE} === 'files'")
        began = time.monotonic()
        _, content = await tab.saved_by(_save(0))
        assert time.monotonic() - began >= 2.5
        assert content == file.read_bytes()
        await share.event("viewed", views=1)
        rates = [event["rate"] for event in share.command.seen if event["event"] == "progress"]
        assert any(rates), "the command says how fast it goes"


async def test_a_file_that_changes_is_never_mixed(browser: Browser, home: Path, tmp_path: Path) -> None:
    file, other = _file(tmp_path / "report.bin", 100_000), _file(tmp_path / "other.bin", 100_000)
    async with share_command(home, file, other) as share, browser.opened(share.link) as tab:
        await tab.wait_for(f"{PHASE} === 'files'")
        file.write_bytes(os.urandom(100_000))
        await tab.evaluate(_save(0))
        await tab.wait_for("document.body.innerText.includes('The owner has changed the file')")
        assert (await share.event("error"))["file"] == file.name
        name, content = await tab.saved_by(_save(1))
        assert (name, _digest(content)) == (other.name, _digest(other.read_bytes()))


async def test_without_its_only_file_the_page_says_what_became_of_it(
    browser: Browser, home: Path, tmp_path: Path
) -> None:
    file = _file(tmp_path / "report.bin", 100_000)
    async with signal_command(home) as server, share_command(home, file, server=server.url) as share:
        async with browser.opened(share.link) as tab, browser.opened("about:blank") as late:
            await tab.wait_for(f"{PHASE} === 'files'")
            file.unlink()
            await tab.evaluate(_save(0))
            await says(tab, "The file is gone")
            assert await share.command.ended() == 1
            await late.go(share.link)
            await says(late, "No longer shared")
            await says(tab, "The file is gone")


async def test_a_picture_that_was_gone_before_anybody_looked_is_said_to_be_gone(
    browser: Browser, home: Path, tmp_path: Path
) -> None:
    file = _file(tmp_path / "picture.png", 100_000)
    async with share_command(home, file) as share, browser.opened("about:blank") as tab:
        file.unlink()
        await tab.go(share.link)
        await says(tab, "The file is gone")
        assert (await share.event("error"))["file"] == file.name
        assert await share.command.ended() == 1
        await says(tab, "The file is gone")


def _file(path: Path, size: int) -> Path:
    path.write_bytes(os.urandom(size))
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _save(number: int) -> str:
    """Press the file's button, as the page names it for those who do not see it."""
    return f"document.querySelectorAll('#list-of-files li')[{number}].querySelector('[aria-label^=Save]').click()"
