"""The transport on real networks, beside stock aiortc and Chromium to Chromium, in the same run.

``python -m tests.benchmarks network`` measures every row; ``python -m
tests.benchmarks.network [--runs N] [ROW…]`` some of them. Links are emulated
between two network namespaces (see ``tests.netlab``), so it needs root; the
rows called ``loopback…`` do not. Receivers are unmodified browsers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.first_paint import _PAINTED, noise, screenshot
from tests.netlab import namespaces
from tests.netlab.lab import OWNER_ADDRESS, ROOT, VIEWER_ADDRESS, Lab, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.swarm import measure_swarm
from tests.netlab.transfer import Result, browser_in, measure, measure_browsers, sending_browser_in
from tests.support.chromium import ChromiumTab
from tests.support.measuring import Row, show
from tests.support.terminal import share_command

RUNS = 5
PEER_PATIENCE_S = 12.0
"""How long a slow peer is listened to: its rate is known by then."""
MB = 1_000_000
MBIT = 1e6
LINKS = {
    "lossy": (LinkOptions(0.025, loss=0.01, rate=50 * MBIT, queue=500_000), 10 * MB, 30.0, "25 ms, 1 %, 50 Mbit/s"),
    "fast": (LinkOptions(0.025, rate=100 * MBIT, queue=1_000_000), 10 * MB, 70.0, "25 ms, 100 Mbit/s"),
    "shallow": (LinkOptions(0.010, rate=100 * MBIT, queue=100_000), 10 * MB, 60.0, "10 ms, 100 Mbit/s, 100 KB queue"),
    "far": (LinkOptions(0.075, loss=0.005, rate=20 * MBIT, queue=250_000), 5 * MB, 13.0, "75 ms, 0.5 %, 20 Mbit/s"),
}
PICTURE_LINK = LinkOptions(0.025, rate=50 * MBIT, queue=500_000)
QUEUE_LINK = LinkOptions(0.025, rate=20 * MBIT, queue=1_000_000)
SHARED_LINK = LinkOptions(0.025, rate=50 * MBIT, queue=300_000)
HANDSHAKE_LINK = LinkOptions(0.050, rate=50 * MBIT)
TCP_S = 30.0
_WATCH = """
globalThis.watched = {};
RTCPeerConnection = class extends RTCPeerConnection {
  createDataChannel(label, options) {
    const channel = super.createDataChannel(label, options);
    if (label === 'data') channel.addEventListener('message', ({ data }) => {
      watched.last = performance.now();
      watched.first ??= watched.last;
      watched.bytes = (watched.bytes ?? 0) + data.byteLength;
    });
    return channel;
  }
  setRemoteDescription(answer) {
    watched.answer ??= performance.now();
    return super.setRemoteDescription(answer);
  }
};
"""


@dataclass(frozen=True)
class Options:
    """How much to measure."""

    runs: int = RUNS
    peers: bool = True


async def transfer(link: LinkOptions | None, kind: str, browser: str, size: int, seed: int) -> Result:
    """One transfer by one kind of sender into one browser, over a fresh link."""
    patience_s = 60.0 if kind == "seedshot" else PEER_PATIENCE_S
    with open_lab(link, seed=seed) if link else _Nowhere() as lab:
        async with browser_in(lab.viewer if lab else None, browser) as viewer:
            if kind != "chromium":
                return await measure(lab, viewer, kind, size, patience_s)
            async with sending_browser_in(lab.owner if lab else None) as owner:
                return await measure_browsers(viewer, owner, size, patience_s)


async def throughput(name: str, options: Options) -> AsyncIterator[Row]:
    """A link of the table: our sender into both browsers, and the peers into Chromium."""
    link, size, least, words = LINKS[name]

    async def rates(kind: str, browser: str) -> list[float]:
        return [(await transfer(link, kind, browser, size, seed)).mbit for seed in range(1, options.runs + 1)]

    peers = [f"{kind} {statistics.median(await rates(kind, 'chromium')):.1f}" for kind in _peers(options)]
    yield Row(f"{words}, to Chromium", await rates("seedshot", "chromium"), "Mbit/s", least, ", ".join(peers), True)
    if name != "far":
        yield Row(f"{words}, to Firefox", await rates("seedshot", "firefox"), "Mbit/s", least, "", True)


async def picture(options: Options) -> AsyncIterator[Row]:
    """1 MB from the channel's opening."""

    async def times(kind: str) -> list[float]:
        return [
            (await transfer(PICTURE_LINK, kind, "chromium", MB, seed)).last_s for seed in range(1, options.runs + 1)
        ]

    peers = [f"{kind} {statistics.median(await times(kind)):.2f}" for kind in _peers(options)]
    yield Row("1 MB at 50 Mbit/s, 25 ms, from channel open", await times("seedshot"), "s", 0.30, ", ".join(peers))


async def handshake(options: Options) -> AsyncIterator[Row]:
    """Round trips from the answer at the viewer to its channel, and on the real page to the first byte of a picture."""
    results = [await transfer(HANDSHAKE_LINK, "seedshot", "chromium", 2048, seed) for seed in _seeds(options)]
    peers = []
    for kind in _peers(options):
        others = [await transfer(HANDSHAKE_LINK, kind, "chromium", 2048, seed) for seed in _seeds(options)]
        peers.append(f"{kind} {statistics.median(other.open_s for other in others) / 0.1:.1f}")
    yield Row("round trips from answer to open channel", [r.open_s / 0.1 for r in results], "", None, ", ".join(peers))
    visits = [visit async for visit in _visits(HANDSHAKE_LINK, options, screenshot())]
    yield Row("… to the first byte of a picture, on the page", [visit.first_byte_s / 0.1 for visit in visits], "")


async def painted(options: Options) -> AsyncIterator[Row]:
    """The whole product: from the opened link to the picture painted, server and page on the owner's machine."""
    visits = [visit async for visit in _visits(PICTURE_LINK, options, screenshot())]
    yield Row(
        "link opened to picture painted, 300 KB, 25 ms, 50 Mbit/s", [visit.painted_s for visit in visits], "s", 0.9
    )
    yield Row("… to the answer at the page", [visit.answer_s for visit in visits], "s")
    yield Row("… to the picture's first bytes", [visit.answer_s + visit.first_byte_s for visit in visits], "s")


async def whole(options: Options) -> AsyncIterator[Row]:
    """The same with a large picture, over the links of the table: files are read, the page keeps and acknowledges."""
    picture = noise(10 * MB)
    for name in ("lossy", "fast"):
        link, _, least, words = LINKS[name]
        visits = [visit async for visit in _visits(link, options, picture)]
        yield Row(f"the whole product, {words}", [visit.mbit for visit in visits], "Mbit/s", least, "", True)


@dataclass(frozen=True)
class _Visit:
    """What the page's own clock says; seconds."""

    answer_s: float
    """From the start of the navigation to the owner's answer."""
    first_byte_s: float
    """From there to the first message with bytes of the picture."""
    painted_s: float
    """From the start of the navigation to the painted picture."""
    mbit: float
    """Megabits per second from the first message with bytes of the picture to the last."""


async def _visits(link: LinkOptions, options: Options, picture: bytes) -> AsyncIterator[_Visit]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "screenshot.png"
        path.write_bytes(picture)
        for seed in _seeds(options):
            with open_lab(link, seed=seed) as lab:
                yield await _visit(lab, Path(folder), path)


async def _visit(lab: Lab, home: Path, path: Path) -> _Visit:
    async with AsyncExitStack() as stack:
        with namespaces.inside(lab.owner):
            arguments = ("--listen", "lan", "--host", OWNER_ADDRESS)
            share = await stack.enter_async_context(share_command(home, *arguments, path))
        viewer = await stack.enter_async_context(browser_in(lab.viewer))
        assert isinstance(viewer, ChromiumTab)
        await viewer.page.add_init_script(_WATCH)
        await viewer.go(share.link)
        painted_ms = float(await viewer.evaluate(_PAINTED))  # asks nothing of the page until it is painted
        answer_ms, first_ms, last_ms, size = await viewer.evaluate(
            "[watched.answer, watched.first, watched.last, watched.bytes]"
        )
        rate = size * 8 / (last_ms - first_ms) / 1000
        return _Visit(answer_ms / 1000, (first_ms - answer_ms) / 1000, painted_ms / 1000, rate)


async def queue(options: Options) -> AsyncIterator[Row]:
    """What somebody else's packets wait for while we seed alone."""

    async def added(kind: str) -> float:
        with open_lab(QUEUE_LINK) as lab:
            async with browser_in(lab.viewer) as viewer, AsyncExitStack() as stack:
                if kind == "chromium":
                    owner = await stack.enter_async_context(sending_browser_in(lab.owner))
                    work = measure_browsers(viewer, owner, 60 * MB, 9)
                else:
                    work = measure(lab, viewer, kind, 60 * MB, 9)
                seeding = asyncio.create_task(work)
                await asyncio.sleep(2)
                pings: list[float] = json.loads(await _neighbour(lab, lab.owner, "ping", VIEWER_ADDRESS, 6))
                await seeding
        return (statistics.median(pings) - 2 * QUEUE_LINK.delay_s) * 1000

    peers = [f"{kind} {await added(kind):.0f}" for kind in _peers(options)]
    values = [await added("seedshot") for _ in range(options.runs)]
    yield Row("a ping's wait while we seed at 20 Mbit/s, 1 MB queue", values, "ms", 60, ", ".join(peers))


async def tcp(options: Options) -> AsyncIterator[Row]:
    """What a CUBIC download keeps beside us, where it begins with us or before us."""
    peers = [f"aiortc {await _kept('aiortc', tcp_after_s=0, ours_after_s=2):.0f}"] if options.peers else []
    together = [await _kept("seedshot", tcp_after_s=0, ours_after_s=0) for _ in range(options.runs)]
    yield Row("a TCP download beside us keeps, both begin", together, "%", 35, ", ".join(peers), True)
    first = [await _kept("seedshot", tcp_after_s=0, ours_after_s=2) for _ in range(options.runs)]
    yield Row("… when it began first", first, "%", 65)


async def late(options: Options) -> AsyncIterator[Row]:
    """The same where we had the link to ourselves before."""
    peers = [f"aiortc {await _kept('aiortc', tcp_after_s=5, ours_after_s=0):.0f}"] if options.peers else []
    values = [await _kept("seedshot", tcp_after_s=5, ours_after_s=0) for _ in range(options.runs)]
    yield Row("a TCP download keeps that came 5 s after us", values, "%", 35, ", ".join(peers), True)


async def _kept(kind: str, *, tcp_after_s: float, ours_after_s: float) -> float:
    """The share in per cent that a TCP download has of what arrives in its 30 seconds, or from our beginning on."""
    with open_lab(SHARED_LINK) as lab:
        server = await _start_neighbour(lab, lab.viewer, "serve", VIEWER_ADDRESS, 0)
        assert server.stdout is not None
        await server.stdout.readline()
        async with browser_in(lab.viewer) as viewer:
            ours = 0

            async def download() -> None:
                nonlocal ours
                await asyncio.sleep(tcp_after_s)
                if tcp_after_s:
                    ours = -int(await viewer.evaluate("v.bytes"))
                await _neighbour(lab, lab.owner, "tcp", VIEWER_ADDRESS, TCP_S)
                ours += int(await viewer.evaluate("v.bytes"))

            downloading = asyncio.create_task(download())
            await asyncio.sleep(ours_after_s)
            await measure(lab, viewer, kind, 400 * MB, tcp_after_s + TCP_S)
            await downloading
        theirs = int((await server.communicate())[0])
    return 100 * theirs / (theirs + ours * 1.08)


async def loopback(options: Options) -> AsyncIterator[Row]:
    """100 MB on this machine, and what it costs."""
    results: dict[str, list[Result]] = {}
    for kind in ("aiortc", "chromium", "seedshot"):
        results[kind] = [await transfer(None, kind, "chromium", 100 * MB, 1) for _ in range(options.runs)]
    small = {kind: (await transfer(None, kind, "chromium", 1000, 1)).cpu_s for kind in ("aiortc", "seedshot")}
    rates = {kind: [result.mbit for result in found] for kind, found in results.items()}
    middle = {kind: statistics.median(found) for kind, found in rates.items()}
    peers = f"aiortc {middle['aiortc']:.0f}, chromium {middle['chromium']:.0f}"
    yield Row("loopback, 100 MB", rates["seedshot"], "Mbit/s", middle["chromium"], peers, True)
    costs = {kind: [10 * (r.cpu_s - small[kind]) for r in results[kind]] for kind in ("aiortc", "seedshot")}
    stock = statistics.median(costs["aiortc"])
    yield Row("owner's CPU per MB, start-up left out", costs["seedshot"], "ms", 0.6 * stock, f"aiortc {stock:.1f}")


async def viewers(options: Options) -> AsyncIterator[Row]:
    """Twenty at once, then the same with one that has stopped."""
    alone = [await measure_swarm(20, 10 * MB, stalled=False) for _ in range(options.runs)]
    beside = [await measure_swarm(20, 10 * MB, stalled=True) for _ in range(options.runs)]
    yield Row("20 viewers: slowest to fastest", [max(x.times) / min(x.times) for x in alone], "times", 2)
    yield Row("20 viewers: memory of each", [x.memory / 20 / MB for x in alone], "MB", 4)
    base = statistics.median(max(x.times) for x in alone)
    costs = [100 * (max(x.times) / base - 1) for x in beside]
    yield Row("20 viewers: cost of one more that is stalled", costs, "%", 5)


ROWS: dict[str, Callable[[Options], AsyncIterator[Row]]] = {
    "lossy": lambda options: throughput("lossy", options),
    "fast": lambda options: throughput("fast", options),
    "shallow": lambda options: throughput("shallow", options),
    "far": lambda options: throughput("far", options),
    "picture": picture,
    "handshake": handshake,
    "painted": painted,
    "whole": whole,
    "queue": queue,
    "tcp": tcp,
    "late": late,
    "loopback": loopback,
    "viewers": viewers,
}


async def measure_rows(names: Sequence[str], options: Options) -> list[Row]:
    """The rows called `names`, each printed as it comes."""
    found = []
    for name in names:
        async for row in ROWS[name](options):
            sys.stderr.write(f"{row.what}: {row.median:.2f} {row.unit}  [{row.peer}]\n")
            found.append(row)
    return found


async def rows() -> list[Row]:
    """Every row."""
    return await measure_rows(list(ROWS), Options())


def _seeds(options: Options) -> range:
    return range(1, options.runs + 1)


def _peers(options: Options) -> tuple[str, ...]:
    return ("aiortc", "chromium") if options.peers else ()


class _Nowhere:
    """The loopback: no lab."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


async def _start_neighbour(lab: Lab, where: str, *words: object) -> asyncio.subprocess.Process:
    command = lab.command(where, sys.executable, "-m", "tests.netlab.neighbours", *map(str, words))
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)


async def _neighbour(lab: Lab, where: str, *words: object) -> bytes:
    process = await _start_neighbour(lab, where, *words)
    return (await process.communicate())[0]


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.network", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which; all of them unless named")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--no-peers", action="store_true", help="leave aiortc and Chromium out")
    words = parser.parse_args()
    try:
        return show(asyncio.run(measure_rows(words.rows or list(ROWS), Options(words.runs, not words.no_peers))))
    except namespaces.LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(_main())
