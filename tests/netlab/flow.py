"""What goes on over a lab's link until it is stopped: our bytes or a peer's, a TCP download, pings.

All of it is there before it begins: what is measured is two flows beside each
other, not the start of a process.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from tests.netlab.lab import VIEWER_ADDRESS, Lab
from tests.netlab.transfer import (
    VIEWER,
    browser_in,
    dial,
    dial_browser,
    make_owner_of,
    open_seeder,
    piped,
    sending_browser_in,
)
from tests.support.browsers import Tab
from tests.support.measuring import MeasuringError

ENDLESS = 10**9
"""Bytes: more than any link of the table carries in a minute."""
LONGEST_S = 120.0
OPENING_S = 15.0


class Flow:
    """Bytes from an owner to a viewer's tab."""

    def __init__(self, kind: str, viewer: Tab, dial: Callable[[], Awaitable[None]]) -> None:
        self._kind = kind
        self._viewer = viewer
        self._dial = dial

    async def begin(self) -> None:
        """Connect; returns when the channel is open at the viewer. Raises MeasuringError."""
        await self._dial()
        if not await self._viewer.evaluate(f"v.opening({OPENING_S})"):
            raise MeasuringError(f"The channel of {self._kind} has not opened in {OPENING_S:.0f} s.")

    async def arrived(self) -> int:
        """Bytes at the viewer until now."""
        return int(await self._viewer.evaluate("v.bytes"))


@asynccontextmanager
async def open_flow(lab: Lab, kind: str) -> AsyncIterator[Flow]:
    """One that can begin; `kind` as in the seeder, or ``chromium``."""
    async with browser_in(lab.viewer) as viewer, AsyncExitStack() as stack:
        await viewer.evaluate(VIEWER)
        if kind == "chromium":
            owner = await stack.enter_async_context(sending_browser_in(lab.owner))
            await make_owner_of(owner, ENDLESS)
            yield Flow(kind, viewer, lambda: dial_browser(viewer, owner))
        else:
            seeder = await stack.enter_async_context(open_seeder(lab, kind, ENDLESS))
            yield Flow(kind, viewer, lambda: dial(viewer, seeder))


class Download:
    """A TCP download with CUBIC, from the owner's end of the link to the viewer's."""

    def __init__(self, sender: asyncio.subprocess.Process, receiver: asyncio.subprocess.Process) -> None:
        self._sender = sender
        self._receiver = receiver

    async def begin(self) -> None:
        """Send."""
        await _say(self._sender)

    async def arrived(self) -> int:
        """Bytes at the receiver until now."""
        await _say(self._receiver)
        return int(await _hear(self._receiver))


@asynccontextmanager
async def open_download(lab: Lab) -> AsyncIterator[Download]:
    """One that is connected and can begin."""
    async with _neighbour(lab, lab.viewer, "serve") as receiver:
        await _hear(receiver)
        async with _neighbour(lab, lab.owner, "tcp") as sender:
            await _hear(sender)
            yield Download(sender, receiver)


async def ping(lab: Lab, seconds: float) -> list[float]:
    """Round-trip times from the owner's end to the viewer's, for so long."""
    async with _neighbour(lab, lab.owner, "ping", seconds) as process:
        times: list[float] = json.loads(await _hear(process))
    if not times:
        raise MeasuringError("Not one ping has come back.")
    return times


def _neighbour(
    lab: Lab, where: str, kind: str, seconds: float = LONGEST_S
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    words = (sys.executable, "-m", "tests.netlab.neighbours", kind, VIEWER_ADDRESS, str(seconds))
    return piped(lab.command(where, *words))


async def _say(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()


async def _hear(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise MeasuringError("A neighbour on the link has ended before its time.")
    return line
