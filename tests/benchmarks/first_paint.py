"""From the opened link to the picture on the screen: a 300 KB screenshot on the loopback, a fresh context each time.

The page's own clock: from the start of the navigation to the moment at which the
browser says that it has painted the picture (Largest Contentful Paint).
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from PIL import Image

from tests.support.browsers import Browser
from tests.support.chromium import open_chromium
from tests.support.firefox import open_firefox
from tests.support.measuring import Row, show
from tests.support.terminal import share_command

RUNS = 20
LIMIT_MS = 400.0
PICTURE_BYTES = 300_000
_PAINTED = """new Promise((resolve) => {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.element?.matches('#stage img')) resolve(entry.startTime);
  }).observe({ type: 'largest-contentful-paint', buffered: true });
})"""


async def rows() -> list[Row]:
    """One row for each browser."""
    return [row async for row in _rows()]


async def _rows() -> AsyncIterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "screenshot.png"
        path.write_bytes(screenshot())
        for opened in (open_chromium, open_firefox):
            async with opened() as browser, share_command(home, path) as share:
                values = [await _measure(browser, share.link) for _ in range(RUNS + 1)]
                yield Row(f"link to first paint of 300 KB, {browser.name}", values[1:], "ms", LIMIT_MS)


async def _measure(browser: Browser, link: str) -> float:
    """Milliseconds; the first run of a browser warms up its own programs, and is not counted."""
    tab = await browser.open(link)
    painted = float(await tab.evaluate(_PAINTED))  # asks nothing of the page until it is painted
    await tab.close()
    return painted


def screenshot() -> bytes:
    """A PNG of a full HD screen, of 300 KB: a calm desktop with a photograph on it."""
    screen = Image.new("RGB", (1920, 1080), "#30506a")
    screen.paste(_noise(PICTURE_BYTES), (400, 300))
    return _png(screen)


def noise(size: int) -> bytes:
    """A PNG of about `size` bytes which no encoder makes smaller."""
    return _png(_noise(size))


def _noise(size: int) -> Image.Image:
    side = round((size / 3) ** 0.5)
    return Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))


def _png(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


if __name__ == "__main__":
    import asyncio

    sys.exit(show(asyncio.run(rows())))
