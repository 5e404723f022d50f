"""The real ``seedshot`` in a process of its own, its output read line by line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.children import kill
from tests.support.waiting import within

LOCAL = ("--listen", "local", "--port", "0")
"""A share on this computer only, on any port."""
ROOT = Path(__file__).parent.parent.parent


class Seedshot:
    """One running command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen: list[dict[str, Any]] = []
        """Every JSON object so far."""

    async def line(self) -> str:
        """The next line of standard output, without its end; "" at the end of the output."""
        assert self.process.stdout is not None
        line = await within(self.process.stdout.readline(), "a line of output")
        return line.decode().rstrip("\n")

    async def event(self, *names: str) -> dict[str, Any]:
        """The next JSON object whose event is one of `names`, or any; fails at the end of the output."""
        while True:
            line = await self.line()
            assert line, f"the output ended; it was {self.seen}, and {await self.errors()!r}"
            item: dict[str, Any] = json.loads(line)
            self.seen.append(item)
            if not names or item["event"] in names:
                return item

    async def shared(self) -> dict[str, Any]:
        """The first event of ``share --json``, once the link works."""
        shared = await self.event()
        assert shared["event"] == "shared"
        await self.event("reachable")
        return shared

    async def ended(self) -> int:
        """Its exit code."""
        return await within(self.process.wait(), "the end of the command")

    async def rest(self) -> list[dict[str, Any]]:
        """The JSON objects until the output ends."""
        while line := await self.line():
            self.seen.append(json.loads(line))
        return self.seen

    async def errors(self) -> str:
        """All of standard error, once it is closed."""
        assert self.process.stderr is not None
        return (await within(self.process.stderr.read(), "standard error")).decode()

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C, or another signal."""
        self.process.send_signal(number)

    async def feed(self, data: bytes) -> None:
        """Standard input, and its end."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(data)
            await self.process.stdin.drain()
        self.process.stdin.close()


@contextlib.asynccontextmanager
async def seedshot(
    home: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
    stdin: bool = False,
    stdout: int = asyncio.subprocess.PIPE,
) -> AsyncIterator[Seedshot]:
    """Run ``seedshot`` with `arguments`, its settings and its socket in `home`; killed if it still runs at the end."""
    process = await asyncio.create_subprocess_exec(
        *(*under, sys.executable, "-m", "seedshot_desktop", *arguments),
        cwd=ROOT,
        env=environment(home) | dict(env or {}),
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Seedshot(process)
    finally:
        kill(process)
        await process.communicate()


def environment(home: Path) -> dict[str, str]:
    """This process's environment with folders of its own for settings and the socket."""
    folders = {"SEEDSHOT_CONFIG_DIR": str(home / "config"), "SEEDSHOT_RUNTIME_DIR": str(home / "run")}
    return {key: value for key, value in os.environ.items() if key != "SEEDSHOT_LOG"} | folders
