"""One transfer over a lab's link, between any two of our owners and browsers, measured where it arrives."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from tests.netlab import namespaces
from tests.netlab.lab import ROOT, Lab
from tests.support.browsers import Tab
from tests.support.children import kill
from tests.support.chromium import open_chromium
from tests.support.firefox import open_firefox
from tests.support.measuring import MeasuringError

VIEWER = """
(() => {
const v = globalThis.v = {bytes: 0, first: 0, last: 0, begun: 0, opened: 0, ping: []};
const pc = v.pc = new RTCPeerConnection();
const control = v.control = pc.createDataChannel('control', {negotiated: true, id: 0, ordered: true});
const data = v.data = pc.createDataChannel('data', {negotiated: true, id: 1, ordered: true});
data.binaryType = 'arraybuffer';
const opened = new Promise(resolve => {
  control.onopen = () => { v.opened = performance.now(); resolve(true); };
});
v.opening = patience => Promise.race([
  opened, new Promise(resolve => setTimeout(() => resolve(false), patience * 1000)),
]);
data.onmessage = event => {
  const now = performance.now();
  if (!v.bytes) v.first = now;
  v.bytes += event.data.byteLength;
  v.last = now;
  if (v.onbytes) v.onbytes();
};
const gathered = () => new Promise(resolve => {
  if (pc.iceGatheringState === 'complete') resolve();
  pc.onicegatheringstatechange = () => { if (pc.iceGatheringState === 'complete') resolve(); };
  setTimeout(resolve, 1500);
});
v.offer = async () => { await pc.setLocalDescription(); return pc.localDescription.sdp; };
v.accept = async sdp => {
  v.begun = performance.now();
  await pc.setRemoteDescription({type: 'answer', sdp});
  return 1;
};
v.answer = async sdp => {
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription();
  await gathered();
  return pc.localDescription.sdp;
};
v.fullOffer = async () => { await pc.setLocalDescription(); await gathered(); return pc.localDescription.sdp; };
v.received = (total, patience) => new Promise(resolve => {
  const done = () => { if (v.bytes >= total) resolve(v.report()); };
  v.onbytes = done;
  done();
  setTimeout(() => resolve(v.report()), patience * 1000);
});
v.report = () => ({bytes: v.bytes, open: (v.opened - v.begun) / 1000, first: (v.first - v.opened) / 1000,
                   last: (v.last - v.opened) / 1000});
v.seed = total => {
  const part = new Uint8Array(65536);
  let left = total;
  const fill = () => {
    while (left > 0 && data.bufferedAmount < 262144) {
      const size = Math.min(left, left === total ? 1024 : part.length);
      left -= size;
      data.send(size === part.length ? part : part.slice(0, size));
    }
  };
  data.bufferedAmountLowThreshold = 131072;
  data.onbufferedamountlow = fill;
  if (data.readyState === 'open') fill(); else data.onopen = fill;
  return 1;
};
return 1;
})()
"""


@dataclass(frozen=True)
class Result:
    """What a viewer measured; seconds."""

    kind: str
    bytes: int
    open_s: float
    """From the answer at the viewer to its channel open."""
    first_s: float
    """From the channel open to the first message."""
    last_s: float
    """From the channel open to the last byte."""
    cpu_s: float = 0.0
    """Of the owner's process, all of its life; 0 where it is a browser."""

    @property
    def mbit(self) -> float:
        """Megabits per second from the channel's opening to the last byte."""
        return self.bytes * 8 / self.last_s / 1e6 if self.last_s > 0 else 0.0


class Seeder:
    """The owner's process in its namespace."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id; in a lab, that of the command that entered the namespace and became it."""
        return self._process.pid

    async def ask(self, **message: Any) -> dict[str, Any]:
        """One line out, one line in."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()
        reply: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return reply


@asynccontextmanager
async def open_seeder(lab: Lab | None, kind: str, total: int) -> AsyncIterator[Seeder]:
    """An owner in the lab, or on this machine where there is none."""
    command = [sys.executable, "-m", "tests.netlab.seeder", kind, str(total)]
    async with piped(lab.command(lab.owner, *command) if lab else command) as process:
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise MeasuringError(f"The owner's process ({kind}) did not start.")
        yield Seeder(process)


@asynccontextmanager
async def piped(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours that is talked to in lines, and killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20
    )
    try:
        yield process
    finally:
        kill(process)
        await process.communicate()


async def dial(viewer: Tab, seeder: Seeder) -> None:
    """Have the viewer's tab begin to connect with the owner's process."""
    reply = await seeder.ask(offer=await viewer.evaluate("v.offer()"))
    await viewer.evaluate(f"v.accept({json.dumps(reply['answer'])})")


async def make_owner_of(tab: Tab, total: int) -> None:
    """Have that tab send `total` bytes as soon as it is connected."""
    await tab.evaluate(VIEWER)
    await tab.evaluate(f"v.seed({total})")


async def dial_browser(viewer: Tab, owner: Tab) -> None:
    """Have the viewer's tab begin to connect with the owner's."""
    answer = await owner.evaluate(f"v.answer({json.dumps(await viewer.evaluate('v.fullOffer()'))})")
    await viewer.evaluate(f"v.accept({json.dumps(answer)})")


async def measure(lab: Lab | None, viewer: Tab, kind: str, total: int, patience_s: float = 60.0) -> Result:
    """Send `total` bytes to the viewer's tab; `kind` as in the seeder."""
    await viewer.evaluate(VIEWER)
    async with open_seeder(lab, kind, total) as seeder:
        await dial(viewer, seeder)
        report = await viewer.evaluate(f"v.received({total}, {patience_s})")
        usage = await seeder.ask(close=True)
    await viewer.evaluate("v.pc.close() || 1")
    return Result(kind, report["bytes"], report["open"], report["first"], report["last"], usage["cpu"])


async def measure_browsers(viewer: Tab, owner: Tab, total: int, patience_s: float = 60.0) -> Result:
    """The same from browser to browser."""
    await viewer.evaluate(VIEWER)
    await make_owner_of(owner, total)
    await dial_browser(viewer, owner)
    report = await viewer.evaluate(f"v.received({total}, {patience_s})")
    for tab in (viewer, owner):
        await tab.evaluate("v.pc.close() || 1")
    return Result("chromium", report["bytes"], report["open"], report["first"], report["last"])


@asynccontextmanager
async def browser_in(namespace: str | None, name: str = "chromium") -> AsyncIterator[Tab]:
    """A tab of Chromium or Firefox in one of the lab's namespaces; None: where we are."""
    with namespaces.inside(namespace) if namespace else nullcontext():
        async with open_firefox() if name == "firefox" else open_chromium() as browser:
            yield await browser.tab()


@asynccontextmanager
async def sending_browser_in(namespace: str | None) -> AsyncIterator[Tab]:
    """A Chromium that shows its addresses, as a page with a camera does: nobody has to resolve its names."""
    with namespaces.inside(namespace) if namespace else nullcontext():
        async with open_chromium(arguments=["--disable-features=WebRtcHideLocalIpsWithMdns"]) as browser:
            yield await browser.tab()
