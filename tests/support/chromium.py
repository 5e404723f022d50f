"""The system's Chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from playwright import async_api

from tests.support.browsers import Browser, Tab
from tests.support.programs import find

ARGUMENTS = (
    "--no-sandbox",  # tests may run as root
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumTab(Tab):
    """One page in a context of its own."""

    def __init__(self, context: async_api.BrowserContext, page: async_api.Page) -> None:
        self._context = context
        self.page = page
        """Playwright's page, for what only Chromium is asked."""
        self.problems: list[str] = []
        """What the page threw or logged as an error, its own policy's complaints among it."""
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._on_console)

    async def go(self, url: str) -> None:
        """Open `url`."""
        await self.page.goto(url)

    async def prepare(self, script: str) -> None:
        """Run `script` before the scripts of every page."""
        await self.page.add_init_script(script)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        return await self.page.evaluate(expression)

    async def saved_by(self, expression: str, deadline_s: float = 30.0) -> tuple[str, bytes]:
        """What the browser saves when `expression` is evaluated."""
        async with self.page.expect_download(timeout=deadline_s * 1000) as saving:
            await self.evaluate(expression)
        download = await saving.value
        return download.suggested_filename, await asyncio.to_thread((await download.path()).read_bytes)

    async def screenshot(self) -> bytes:
        """What the window shows, PNG."""
        return await self.page.screenshot()

    async def close(self) -> None:
        """Close the tab and its context."""
        await self.page.close(run_before_unload=False)
        await self._context.close()

    def _on_console(self, message: async_api.ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)


class Chromium(Browser):
    """A running Chromium; made by `open_chromium`."""

    name = "Chromium"
    calls_itself = "Chrome"

    def __init__(self, browser: async_api.Browser) -> None:
        self._browser = browser

    async def tab(self, **options: Any) -> ChromiumTab:
        """A blank tab; `options` as Playwright's new_context takes them: viewport, color_scheme and so on."""
        context = await self._browser.new_context(**options)
        return ChromiumTab(context, await context.new_page())


@asynccontextmanager
async def open_chromium(executable: str | None = None, arguments: Sequence[str] = ()) -> AsyncIterator[Chromium]:
    """A Chromium of its own; `executable` may wrap it, to put it into a network namespace."""
    path = executable or find("chromium", "chromium-browser", "google-chrome")
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        try:
            yield Chromium(browser)
        finally:
            await browser.close()
