"""Real browsers behind one small interface, so that a test reads the same for each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.waiting import until

DEADLINE_S = 15.0


class Tab(ABC):
    """One tab in a fresh context: no storage, no cache, no cookie of another one."""

    @abstractmethod
    async def go(self, url: str) -> None:
        """Open `url` in it; returns when the document is loaded."""

    @abstractmethod
    async def prepare(self, script: str) -> None:
        """Run `script` in every page of this tab from now on, before the page's own scripts."""

    @abstractmethod
    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise, as JSON carries it."""

    @abstractmethod
    async def saved_by(self, expression: str, deadline_s: float = 30.0) -> tuple[str, bytes]:
        """The name and the content of the file that the browser saves when `expression` is evaluated."""

    @abstractmethod
    async def screenshot(self) -> bytes:
        """What the window shows, PNG."""

    @abstractmethod
    async def close(self) -> None:
        """Close it as a person does; the page hears of it."""

    async def wait_for(self, condition: str, deadline_s: float = DEADLINE_S) -> Any:
        """The first true value of a JavaScript expression; the failure shows what the page says."""
        try:
            return await until(lambda: self.evaluate(condition), condition, deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page says: {await self.text()!r}") from None

    async def text(self) -> str:
        """What a person can read on the page."""
        return str(await self.evaluate("document.body.innerText"))


class Browser(ABC):
    """A running browser, headless, with a profile of its own."""

    name: str
    calls_itself: str
    """How its user agent begins to name it; a version follows."""

    @abstractmethod
    async def tab(self) -> Tab:
        """A blank tab in a context of its own."""

    async def open(self, url: str) -> Tab:
        """A tab in a context of its own that shows `url`."""
        tab = await self.tab()
        await tab.go(url)
        return tab

    @asynccontextmanager
    async def opened(self, url: str) -> AsyncIterator[Tab]:
        """As `open`, closed afterwards."""
        tab = await self.open(url)
        try:
            yield tab
        finally:
            await tab.close()
