"""Many viewers of one owner at once, on this machine: who gets what, and what it costs in memory.

``python -m tests.netlab.swarm`` is one viewer that opens its channel and then never lets its loop run again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.netlab.lab import ROOT
from tests.netlab.transfer import VIEWER, Seeder, open_seeder
from tests.support.children import kill
from tests.support.chromium import open_chromium
from tests.support.measuring import MeasuringError
from tests.support.rtc_viewer import AiortcViewer

PATIENCE_S = 60
_SWARM = """
(() => {
globalThis.swarm = [];
globalThis.join = () => { %s; swarm.push(globalThis.v); return swarm.length - 1; };
return 1;
})()
"""


@dataclass(frozen=True)
class Swarm:
    """What came of it."""

    times: list[float]
    """Seconds from the first viewer's accept to each viewer's last byte."""
    memory: float
    """Bytes by which the owner's process grew for each viewer, the stalled one too."""


async def measure_swarm(kind: str, count: int, size: int, *, stalled: bool = False) -> Swarm:
    """`size` bytes to each of `count` viewers in one Chromium; `stalled`: beside one that never reads.

    Raises MeasuringError where a viewer has not got everything.
    """
    async with open_chromium() as browser, open_seeder(None, kind, size) as seeder:
        tab = await browser.tab()
        await tab.evaluate(_SWARM % VIEWER.strip().replace("return 1;\n})()", "})()"))
        before = _memory(seeder)
        async with _stalled_viewer(seeder) if stalled else _nobody():
            answers = []
            for index in range(count):
                await tab.evaluate("join()")
                reply = await seeder.ask(offer=await tab.evaluate(f"swarm[{index}].offer()"))
                answers.append(reply["answer"])
            accepts = f"Promise.all({json.dumps(answers)}.map((sdp, i) => swarm[i].accept(sdp)))"
            await tab.evaluate(f"(globalThis.begun = performance.now(), {accepts})")
            waiting = f"Promise.all(swarm.map(v => v.received({size}, {PATIENCE_S})))"
            reports, peak = await _with_peak(tab.evaluate(waiting), seeder)
            if short := sum(report["bytes"] != size for report in reports):
                raise MeasuringError(f"{short} of {count} viewers of {kind} have not got everything.")
            times = await tab.evaluate("swarm.map(v => (v.last - begun) / 1000)")
            return Swarm(times, (peak - before) / (count + stalled))


async def _with_peak(work: object, seeder: Seeder) -> tuple[list[dict[str, float]], float]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    peak = 0.0
    while not task.done():
        peak = max(peak, _memory(seeder))
        await asyncio.wait([task], timeout=0.05)
    return task.result(), peak


def _memory(seeder: Seeder) -> float:
    """Bytes of the process that are in memory now."""
    pages = int(Path(f"/proc/{seeder.pid}/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


@asynccontextmanager
async def _nobody() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _stalled_viewer(seeder: Seeder) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.netlab.swarm"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        offer = json.loads(await process.stdout.readline())
        reply = await seeder.ask(offer=offer["offer"])
        process.stdin.write(json.dumps(reply).encode() + b"\n")
        await process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        yield
    finally:
        kill(process)
        await process.wait()


async def _join() -> None:
    """A viewer that says when data comes, so that it can be stopped in the middle of it."""
    viewer = AiortcViewer()
    print(json.dumps({"offer": await viewer.offer()}), flush=True)
    answer = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await viewer.accept(answer["answer"])
    await viewer.received.get()
    print("receiving", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_join())
