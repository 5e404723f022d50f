"""Twenty viewers of one owner at once, on this machine; then the same beside one that has stopped."""

from __future__ import annotations

from tests.benchmarks.network_rows.common import MB, Options, Rows
from tests.netlab.swarm import Swarm, measure_swarm
from tests.support.measuring import Row, spread

VIEWERS = 20
SIZE = 10 * MB


async def viewers(options: Options) -> Rows:
    """Who gets how much of it, what each takes, and what one that never reads costs the others."""
    stock = [await measure_swarm("aiortc", VIEWERS, SIZE) for _ in options.seeds] if options.peers else []
    alone, beside = [], []
    for _ in options.seeds:  # in turns: what else the machine does falls on both
        alone.append(await measure_swarm("seedshot", VIEWERS, SIZE))
        beside.append(await measure_swarm("seedshot", VIEWERS, SIZE, stalled=True))
    peer = spread("aiortc", _evenness(stock)) if stock else ""
    yield Row("20 viewers: slowest to fastest", _evenness(alone), "times", 2, peer)
    peer = spread("aiortc", _memory(stock)) if stock else ""
    yield Row("20 viewers: memory of each", _memory(alone), "MB", 4, peer)
    yield Row("20 viewers and one that is stalled: memory of each", _memory(beside), "MB", 4)
    pairs = zip(alone, beside, strict=True)
    costs = [100 * (max(with_it.times) / max(without.times) - 1) for without, with_it in pairs]
    yield Row("20 viewers: cost of one more that is stalled", costs, "%", 5)


def _evenness(swarms: list[Swarm]) -> list[float]:
    return [max(swarm.times) / min(swarm.times) for swarm in swarms]


def _memory(swarms: list[Swarm]) -> list[float]:
    return [swarm.memory / MB for swarm in swarms]
