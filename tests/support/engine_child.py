"""The engine in its child process, as the app starts it: frames on its pipes."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from seedshot_desktop.seed.messages import (
    Command,
    Configure,
    EngineOptions,
    EngineStarted,
    Event,
    FrameDecoder,
    decode_event,
    frame,
)
from tests.support.children import kill

DEADLINE_S = 15.0
T = TypeVar("T", bound=Event)


class EngineChild:
    """``async with EngineChild() as child``: started, and told to listen on this computer only."""

    def __init__(self, options: EngineOptions | None = None) -> None:
        self._options = options or EngineOptions(listen_host="127.0.0.1", listen_port=0)
        self.events: list[Event] = []
        self.ended_stream = asyncio.Event()
        self._more = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.process: Process

    async def __aenter__(self) -> Self:
        await self.start()
        self.send(Configure(self._options))
        await self.saw(EngineStarted)
        return self

    async def start(self) -> None:
        """Start the process and say nothing."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "seedshot_desktop.seed.process", stdin=PIPE, stdout=PIPE, stderr=PIPE, env=os.environ
        )
        self._reading = asyncio.create_task(self._read(), name="child's events")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kill(self.process)
        await self.exit_code()
        assert self._reading is not None
        await self._reading

    def send(self, command: Command) -> None:
        """One command."""
        self.send_bytes(frame(command))

    def send_bytes(self, data: bytes) -> None:
        """Whatever it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def close_stdin(self) -> None:
        """As when the parent is gone."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def exit_code(self) -> int:
        """Wait for its end."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()

    async def words(self) -> str:
        """All that it wrote to standard error, once it has ended."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def saw(self, kind: type[T], where: Callable[[T], bool] = lambda _: True) -> T:
        """Wait for the first such event."""
        async with asyncio.timeout(DEADLINE_S):
            while not (found := [event for event in self.events if isinstance(event, kind) and where(event)]):
                self._more.clear()
                await self._more.wait()
        return found[0]

    async def _read(self) -> None:
        assert self.process.stdout is not None
        decoder = FrameDecoder()
        while data := await self.process.stdout.read(65536):
            self.events += [decode_event(payload) for payload in decoder.feed(data)]
            self._more.set()
        self.ended_stream.set()
