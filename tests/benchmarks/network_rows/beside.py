"""Somebody else on the same link: a ping while we send, and a TCP download with CUBIC."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from tests.benchmarks.network_rows.common import MBIT, Measure, Options, Rows, of_peers
from tests.netlab.flow import Download, Flow, open_download, open_flow, ping
from tests.netlab.lab import open_lab
from tests.netlab.link import LinkOptions
from tests.support.measuring import MeasuringError, Row, spread, spreads

QUEUE_LINK = LinkOptions(0.025, rate=20 * MBIT, queue=1_000_000)
SHARED_LINK = LinkOptions(0.025, rate=50 * MBIT, queue=300_000)
SETTLING_S = 1.0
PING_S = 4.0
PING_LIMIT_MS = 60.0
LEAST_RATE = 17.0
"""Mbit/s of 20: who does not fill the link adds nothing to a ping."""
TCP_S = 30.0
TCP_SHARE = (35.0, 65.0)
TCP_PEER_RUNS = 3
"""Of each peer beside TCP: one run takes 35 s and more."""
FIRST_S, LATE_S = 2.0, 5.0
OVERHEAD = 1.08
"""Bytes on the link for a byte of a data channel, beside those for a byte of TCP."""


@dataclass(frozen=True)
class _Seeding:
    """What pings went through."""

    added_ms: float
    rate: float
    """Mbit/s that arrived meanwhile."""


async def queue(options: Options) -> Rows:
    """What somebody else's packets wait for while we send alone, and that we use the link at all."""
    peers = []
    for kind in options.kinds:
        found = [await _seeding(kind, seed) for seed in options.seeds]
        added, rates = [one.added_ms for one in found], [one.rate for one in found]
        peers.append(f"{spread(kind, added)} at {spread('', rates, 'Mbit/s').lstrip()}")
    ours = [await _seeding("seedshot", seed) for seed in options.seeds]
    words = "a ping's wait while we seed at 20 Mbit/s, 1 MB queue"
    yield Row(words, [one.added_ms for one in ours], "ms", PING_LIMIT_MS, ", ".join(peers))
    yield Row("… and our rate meanwhile", [one.rate for one in ours], "Mbit/s", LEAST_RATE, "", True)


async def _seeding(kind: str, seed: int) -> _Seeding:
    with open_lab(QUEUE_LINK, seed=seed) as lab:
        async with open_flow(lab, kind) as flow:
            await flow.begin()
            await asyncio.sleep(SETTLING_S)
            before, began = await flow.arrived(), time.monotonic()
            pings = await ping(lab, PING_S)
            rate = (await flow.arrived() - before) * 8 / (time.monotonic() - began) / MBIT
    return _Seeding((statistics.median(pings) - 2 * QUEUE_LINK.delay_s) * 1000, rate)


def tcp(words: str, *, ours_after_s: float = 0.0, tcp_after_s: float = 0.0) -> Measure:
    """What a TCP download keeps beside us, and beside each peer, in the 30 s from when both are there.

    Both begin at once: TCP when our channel opens.
    """

    async def rows(options: Options) -> Rows:
        async def kept(kind: str, seed: int) -> float:
            with open_lab(SHARED_LINK, seed=seed) as lab:
                async with open_flow(lab, kind) as ours, open_download(lab) as theirs:
                    if ours_after_s:
                        await theirs.begin()
                        await asyncio.sleep(ours_after_s)
                        await ours.begin()
                    else:
                        await ours.begin()
                        await asyncio.sleep(tcp_after_s)
                        await theirs.begin()
                    return await _share(ours, theirs)

        peers = spreads(await of_peers(options, kept, TCP_PEER_RUNS))
        yield Row(words, [await kept("seedshot", seed) for seed in options.seeds], "%", TCP_SHARE, peers)

    return rows


async def _share(ours: Flow, theirs: Download) -> float:
    """TCP's in per cent of what arrives from now on."""
    before = await ours.arrived(), await theirs.arrived()
    await asyncio.sleep(TCP_S)
    after = await ours.arrived(), await theirs.arrived()
    channel, download = (after[0] - before[0]) * OVERHEAD, after[1] - before[1]
    if not channel + download:
        raise MeasuringError("Nothing has arrived, neither ours nor TCP's.")
    return 100 * download / (download + channel)
