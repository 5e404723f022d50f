"""Many viewers at once on the real app, and what that does to its window: for a test, and for a benchmark."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.app import App, running_app
from tests.support.children import kill
from tests.support.command_line import ROOT
from tests.support.desktop import Person
from tests.support.waiting import until, within
from tests.support.watched_app import Look, looks

VIEWERS = 50
FILE_BYTES = 512 * 1024
"""Four acknowledgements at least, so that a bar has a middle."""
UPLOAD_KIB_S = 2048
"""Of all together: so slow that the last is let in before the first has it all."""
_DEADLINE_S, _LEAVE_S = 45.0, 20.0


@dataclass(frozen=True)
class Seen:
    """What was seen while they received. Milliseconds and megabytes (RSS)."""

    let_in_s: float
    """Until the last one was in the window's list."""
    most_moving: int
    """How many bars moved at once."""
    late_ms: list[float]
    """By how much each beat of 10 ms in the GUI thread came late, whoever used the processor."""
    busy_ms: list[float]
    """How much processor time the GUI thread used from one beat to the next."""
    measure_ms: list[float]
    """How much a fixed piece of work took meanwhile."""
    app_mb: tuple[float, float]
    """Before they came, and when all had received."""
    engine_mb: tuple[float, float]
    views: int


async def watch_crowd(person: Person) -> Seen:
    """Share a file, open the shares window, let the crowd in; what was seen until everybody has the file."""
    file, seen_in = person.screen.home / "crowd.bin", person.screen.home / "looks"
    file.write_bytes(os.urandom(FILE_BYTES))
    async with running_app(person, seen_in, share_upload_limit_kib=UPLOAD_KIB_S, notifications=False) as app:
        link = (await app.ask("share", paths=[str(file)]))["link"]
        await app.ask("show", window="shares")
        await until(lambda: person.windows("Shares"), "the shares window")
        before, begun = _memory(app), len(looks(seen_in))
        async with crowd(link, VIEWERS):
            started = time.monotonic()
            await _seen(seen_in, lambda look: look.listed == VIEWERS, "everybody in the list")
            let_in_s = time.monotonic() - started
            await _seen(seen_in, lambda look: look.complete == VIEWERS, "every bar full")
            after, told = _memory(app), looks(seen_in)[begun:]
            views = (await app.share_with(link=link, viewers=VIEWERS))["views"]
    return Seen(
        let_in_s=let_in_s,
        most_moving=max(look.moving for look in told),
        late_ms=[late for look in told for late in look.late_ms],
        busy_ms=[busy for look in told for busy in look.busy_ms],
        measure_ms=[look.measure_ms for look in told],
        app_mb=(before[0], after[0]),
        engine_mb=(before[1], after[1]),
        views=views,
    )


@asynccontextmanager
async def crowd(link: str, count: int) -> AsyncIterator[None]:
    """So many viewers of `link`, in a process of their own; they leave in the end."""
    command = [sys.executable, "-m", "tests.support.crowd", link, str(count)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=asyncio.subprocess.PIPE)
    try:
        yield
        assert process.stdin is not None
        process.stdin.close()
        assert await within(process.wait(), "the crowd's leaving", _LEAVE_S) == 0
    finally:
        kill(process)
        await process.wait()


async def _seen(path: Path, is_it: Callable[[Look], bool], what: str) -> None:
    await until(lambda: any(map(is_it, looks(path)[-1:])), what, _DEADLINE_S)


def _memory(app: App) -> tuple[float, float]:
    """Megabytes that the app and its engine hold now."""
    return _resident(app.program.pid), _resident(app.engine())


def _resident(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS:"))
