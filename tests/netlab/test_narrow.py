"""Large packets on real sockets, to real browsers: paths that carry them, do not, and stop to."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD
from tests.benchmarks.first_paint import _PAINTED
from tests.netlab import namespaces, packets
from tests.netlab.lab import OWNER_ADDRESS, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.transfer import Result, browser_in, measure
from tests.support.terminal import share_command

LINK = LinkOptions(0.010, rate=50e6, queue=500_000)
SIZE = 10_000_000
BASE = BASE_PAYLOAD + 16 + 12 + 37 + 28
"""Bytes of a packet that is never probed for."""


async def _transfer(
    link: LinkOptions, browser: str = "chromium", patience_s: float = 30
) -> tuple[Result, dict[str, int]]:
    with open_lab(link, LINK) as lab:
        async with browser_in(lab.viewer, browser) as viewer:
            result = await measure(lab, viewer, "seedshot", SIZE, patience_s)
    return result, lab.statistics[0]


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_browser_answers_probes_and_takes_what_fills_an_ethernet(browser: str) -> None:
    result, statistics = await _transfer(replace(LINK, mtu=1500), browser)
    assert result.bytes == SIZE
    assert 1490 < statistics["largest"] <= 1500
    assert statistics["too_large"] == 0


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_tunnel_that_tells_nobody_is_found_out(browser: str) -> None:
    result, statistics = await _transfer(replace(LINK, mtu=1400), browser)
    assert result.bytes == SIZE
    assert 1390 < statistics["largest"] <= 1400
    assert statistics["too_large"] <= 1 + 5 + 5, "nothing but probes, in three rounds"


async def test_a_path_that_carries_no_more_than_it_must_is_left_as_it_is() -> None:
    result, statistics = await _transfer(replace(LINK, mtu=1280))
    assert result.bytes == SIZE
    assert BASE - 3 <= statistics["largest"] <= BASE
    assert statistics["too_large"] <= 1 + 7 + 7, "nothing but probes, in three rounds"


@pytest.mark.parametrize("narrow", ["router", "mute"])
async def test_a_path_that_becomes_narrow_is_not_a_hole(narrow: str) -> None:
    link = replace(LINK, mtu=1500, narrows_after=3_000_000, narrows_to=1400, narrow=narrow)
    result, statistics = await _transfer(link)
    assert result.bytes == SIZE
    assert statistics["largest"] > 1490
    assert statistics["too_large"] <= 10, "what is too large arrives in parts"
    assert result.last_s <= 4, "less than 2 s, and a busy machine"


async def test_where_even_fragments_vanish_the_page_goes_on_with_another_connection(tmp_path: Path) -> None:
    """The whole product: 5 s, of which the narrow path costs three."""
    picture = tmp_path / "noise.png"
    Image.frombytes("RGB", (2000, 1600), os.urandom(2000 * 1600 * 3)).save(picture, compress_level=0)
    link = replace(LINK, mtu=1500, narrows_after=4_000_000, narrows_to=1400)
    with open_lab(link, LINK) as lab:
        async with AsyncExitStack() as stack:
            with namespaces.inside(lab.owner):
                arguments = ("--listen", "lan", "--host", OWNER_ADDRESS)
                share = await stack.enter_async_context(share_command(tmp_path, *arguments, picture))
            viewer = await stack.enter_async_context(browser_in(lab.viewer))
            await viewer.go(share.link)
            async with asyncio.timeout(30):
                assert float(await viewer.evaluate(_PAINTED)) > 0
    assert lab.statistics[0]["too_large"] > 10, "the path was narrow before the picture was there"


# The emulated router itself


def _packet(size: int, *, flags: int = 0) -> bytes:
    head = bytes((0x45, 0)) + size.to_bytes(2, "big") + b"\x12\x34" + flags.to_bytes(2, "big")
    return head + bytes((64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2)) + bytes(index % 251 for index in range(size - 20))


def test_a_router_fragments_and_the_parts_make_the_whole() -> None:
    packet = _packet(1497)
    parts = packets.fragments(packet, 1400)
    assert [len(part) for part in parts] == [1396, 121]
    assert b"".join(part[20:] for part in parts) == packet[20:]
    assert [int.from_bytes(part[6:8], "big") for part in parts] == [0x2000, 1376 // 8]
    for part in parts:
        assert int.from_bytes(part[2:4], "big") == len(part)
        assert packets._checksum(part[:20]) == 0


def test_a_router_says_what_it_carries() -> None:
    packet = _packet(1497, flags=0x4000)
    assert not packets.may_be_fragmented(packet)
    told = packets.too_big(packet, 1400)
    assert told[20:22] == b"\x03\x04"
    assert int.from_bytes(told[26:28], "big") == 1400
    assert (told[12:16], told[16:20]) == (packet[16:20], packet[12:16])
    assert packets._checksum(told[:20]) == packets._checksum(told[20:]) == 0
