"""One transfer alone on a link, or on this machine: how fast, and at what cost."""

from __future__ import annotations

import statistics

from tests.benchmarks.network_rows.common import LINKS, MB, PICTURE_LINK, Measure, Options, Rows, of_peers, transfer
from tests.netlab.transfer import Result
from tests.support.measuring import Row, spread, spreads


def throughput(name: str) -> Measure:
    """A link of the table: our sender into both browsers, and the peers into Chromium."""
    link, size, least, words = LINKS[name]

    async def rows(options: Options) -> Rows:
        async def rate(kind: str, seed: int, browser: str = "chromium") -> float:
            return (await transfer(link, kind, browser, size, seed)).mbit

        peers = spreads(await of_peers(options, rate))
        ours = [await rate("seedshot", seed) for seed in options.seeds]
        yield Row(f"{words}, to Chromium", ours, "Mbit/s", least, peers, True)
        if name != "far":
            ours = [await rate("seedshot", seed, "firefox") for seed in options.seeds]
            yield Row(f"{words}, to Firefox", ours, "Mbit/s", least, "", True)

    return rows


async def picture(options: Options) -> Rows:
    """1 MB from the channel's opening."""

    async def time(kind: str, seed: int) -> float:
        return (await transfer(PICTURE_LINK, kind, "chromium", MB, seed)).last_s

    peers = spreads(await of_peers(options, time))
    ours = [await time("seedshot", seed) for seed in options.seeds]
    yield Row("1 MB at 50 Mbit/s, 25 ms, from channel open", ours, "s", 0.30, peers)


async def loopback(options: Options) -> Rows:
    """100 MB on this machine, and what it costs."""
    results: dict[str, list[Result]] = {}
    for kind in ("aiortc", "chromium", "seedshot"):
        results[kind] = [await transfer(None, kind, "chromium", 100 * MB, seed) for seed in options.seeds]
    rates = {kind: [result.mbit for result in found] for kind, found in results.items()}
    ours = rates.pop("seedshot")
    yield Row("loopback, 100 MB", ours, "Mbit/s", statistics.median(rates["chromium"]), spreads(rates), True)
    costs = {}
    for kind in ("aiortc", "seedshot"):
        small = (await transfer(None, kind, "chromium", 1000, 1)).cpu_s
        costs[kind] = [(result.cpu_s - small) / (result.bytes / MB) * 1000 for result in results[kind]]
    most = 0.6 * statistics.median(costs["aiortc"])
    peer = spread("aiortc", costs["aiortc"])
    yield Row("owner's CPU per MB, start-up left out", costs["seedshot"], "ms", most, peer)
