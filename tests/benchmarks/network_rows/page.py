"""The whole product, server and page on the owner's machine: round trips, the first byte, the painted picture."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.first_paint import _PAINTED, noise, screenshot
from tests.benchmarks.network_rows.common import (
    HANDSHAKE_LINK,
    LINKS,
    MB,
    PICTURE_LINK,
    Options,
    Rows,
    of_peers,
    transfer,
)
from tests.netlab import namespaces
from tests.netlab.lab import OWNER_ADDRESS, Lab, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.transfer import browser_in
from tests.support.measuring import Row, spreads
from tests.support.terminal import share_command

ROUND_TRIP_S = 2 * HANDSHAKE_LINK.delay_s
FIRST_BYTE_LIMIT = 4.5
WATCH = """
globalThis.watched = {};
RTCPeerConnection = class extends RTCPeerConnection {
  createDataChannel(label, options) {
    const channel = super.createDataChannel(label, options);
    if (label === 'data') channel.addEventListener('message', ({ data }) => {
      watched.last = performance.now();
      watched.first ??= watched.last;
      watched.bytes = (watched.bytes ?? 0) + data.byteLength;
    });
    return channel;
  }
  setRemoteDescription(answer) {
    watched.answer ??= performance.now();
    return super.setRemoteDescription(answer);
  }
};
"""


@dataclass(frozen=True)
class Visit:
    """What the page's own clock says; seconds."""

    answer_s: float
    """From the start of the navigation to the owner's answer."""
    first_byte_s: float
    """From there to the first message with bytes of the picture."""
    painted_s: float
    """From the start of the navigation to the picture painted."""
    mbit: float
    """Megabits a second from the first message with bytes of the picture to the last."""


async def handshake(options: Options) -> Rows:
    """Round trips from the answer at the viewer to its channel, and on the real page to the first byte of a picture."""

    async def trips(kind: str, seed: int) -> float:
        return (await transfer(HANDSHAKE_LINK, kind, "chromium", 2048, seed)).open_s / ROUND_TRIP_S

    peers = spreads(await of_peers(options, trips))
    ours = [await trips("seedshot", seed) for seed in options.seeds]
    yield Row("round trips from answer to open channel", ours, "", None, peers)
    for browser in ("Chromium", "Firefox"):
        visits = [visit async for visit in _visits(HANDSHAKE_LINK, options, screenshot(), browser.lower())]
        first = [visit.first_byte_s / ROUND_TRIP_S for visit in visits]
        yield Row(f"… to the first byte of a picture, on the page, {browser}", first, "", FIRST_BYTE_LIMIT)


async def painted(options: Options) -> Rows:
    """From the opened link to the picture painted."""
    visits = [visit async for visit in _visits(PICTURE_LINK, options, screenshot())]
    yield Row(
        "link opened to picture painted, 300 KB, 25 ms, 50 Mbit/s", [visit.painted_s for visit in visits], "s", 0.9
    )
    yield Row("… to the answer at the page", [visit.answer_s for visit in visits], "s")
    yield Row("… to the picture's first bytes", [visit.answer_s + visit.first_byte_s for visit in visits], "s")


async def whole(options: Options) -> Rows:
    """The same with a large picture, over the links of the table: files are read, the page keeps and acknowledges."""
    picture = noise(10 * MB)
    for name in ("lossy", "fast"):
        link, _, least, words = LINKS[name]
        visits = [visit async for visit in _visits(link, options, picture)]
        yield Row(f"the whole product, {words}", [visit.mbit for visit in visits], "Mbit/s", least, "", True)


async def _visits(
    link: LinkOptions, options: Options, content: bytes, browser: str = "chromium"
) -> AsyncIterator[Visit]:
    """The picture shared and opened in a fresh browser, over a fresh link each time."""
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "screenshot.png"
            path.write_bytes(content)
            with open_lab(link, seed=seed) as lab:
                yield await _visit(lab, Path(folder), path, browser)


async def _visit(lab: Lab, home: Path, path: Path, browser: str) -> Visit:
    async with AsyncExitStack() as stack:
        with namespaces.inside(lab.owner):
            arguments = ("--listen", "lan", "--host", OWNER_ADDRESS)
            share = await stack.enter_async_context(share_command(home, *arguments, path))
        viewer = await stack.enter_async_context(browser_in(lab.viewer, browser))
        await viewer.prepare(WATCH)
        await viewer.go(share.link)
        painted_ms = float(await viewer.evaluate(_PAINTED))  # asks nothing of the page until it is painted
        answer_ms, first_ms, last_ms, size = await viewer.evaluate(
            "[watched.answer, watched.first, watched.last, watched.bytes]"
        )
        rate = size * 8 / (last_ms - first_ms) / 1000
        return Visit(answer_ms / 1000, (first_ms - answer_ms) / 1000, painted_ms / 1000, rate)
