"""Both browsers, started once for all end-to-end tests, which therefore run on one loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.browsers import Browser
from tests.support.chromium import Chromium, open_chromium
from tests.support.desktop import Person
from tests.support.firefox import Firefox, open_firefox
from tests.support.screen import open_screen


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """The system's Chromium."""
    async with open_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def firefox() -> AsyncIterator[Firefox]:
    """The system's Firefox."""
    async with open_firefox() as browser:
        yield browser


@pytest.fixture(scope="session", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """Each browser in turn."""
    found: Browser = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody before a desktop with a window manager and a tray."""
    with open_screen() as screen:
        yield Person(screen)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for a program's settings and socket; short, since sockets' paths are."""
    return tmp_path
