"""A share, and a signalling server, as a person starts them in a terminal: ready to be opened in a browser."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.children import kill
from tests.support.command_line import ROOT, Seedshot, environment, seedshot
from tests.support.waiting import DEADLINE_S, within


class Share:
    """``seedshot share --json``, its link, and its events as they come."""

    def __init__(self, command: Seedshot, link: str) -> None:
        self.command = command
        self.link = link

    async def event(self, kind: str, deadline_s: float = DEADLINE_S, **fields: Any) -> dict[str, Any]:
        """The next event of `kind` with `fields`; those before it are kept in ``command.seen``."""

        async def matching() -> dict[str, Any]:
            while not fields.items() <= (found := await self.command.event(kind)).items():
                pass
            return found

        try:
            return await within(matching(), f"{kind} {fields}", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {self.command.seen}") from None


@asynccontextmanager
async def share_command(
    home: Path, *arguments: str | Path, server: str = "", standard_input: bytes | None = None
) -> AsyncIterator[Share]:
    """``seedshot share`` with `arguments`, known to the server at `server` or to its own; `home` holds its settings."""
    where = ["--server", server] if server else ["--listen", "local", "--port", "0"]
    words = ("share", "--json", *where, *map(str, arguments))
    async with seedshot(home, *words, stdin=standard_input is not None) as command:
        if standard_input is not None:
            await command.feed(standard_input)
        share = Share(command, (await command.event("shared"))["link"])
        await share.event("reachable")
        yield share


class Server:
    """``seedshot-signal`` on this computer."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url
        """Its base URL, without a slash at the end."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    async def kill(self) -> None:
        """End it without a word to anybody."""
        kill(self._process)
        await self._process.wait()

    async def drain(self) -> None:
        """End it as a service manager does."""
        self._process.send_signal(signal.SIGTERM)
        await within(self._process.wait(), "the end of the server")


@asynccontextmanager
async def signal_command(home: Path, port: int = 0, *arguments: str, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """A signalling server in a process of its own; `host` "" is every address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signal_server", "--host", host, "--port", str(port), *arguments),
        cwd=ROOT,
        env=environment(home),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await within(process.stdout.readline(), "the server's address")).decode()
        assert "http" in line, f"the server did not start on port {port}: {line}"
        yield Server(process, line.split()[-1].rstrip("/"))
    finally:
        kill(process)
        await process.communicate()
