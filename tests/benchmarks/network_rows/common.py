"""What every row of the network table needs: the links, how much to measure, one transfer over a fresh link."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from tests.netlab.lab import Lab, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.transfer import Result, browser_in, measure, measure_browsers, sending_browser_in
from tests.support.measuring import MeasuringError, Row

RUNS = 5
PEER_PATIENCE_S = 12.0
"""How long a slow peer is listened to: its rate is known by then."""
PATIENCE_S = 60.0
MB = 1_000_000
MBIT = 1e6
LINKS = {
    "lossy": (LinkOptions(0.025, loss=0.01, rate=50 * MBIT, queue=500_000), 10 * MB, 30.0, "25 ms, 1 %, 50 Mbit/s"),
    "fast": (LinkOptions(0.025, rate=100 * MBIT, queue=1_000_000), 10 * MB, 70.0, "25 ms, 100 Mbit/s"),
    "shallow": (LinkOptions(0.010, rate=100 * MBIT, queue=100_000), 10 * MB, 60.0, "10 ms, 100 Mbit/s, 100 KB queue"),
    "far": (LinkOptions(0.075, loss=0.005, rate=20 * MBIT, queue=250_000), 5 * MB, 13.0, "75 ms, 0.5 %, 20 Mbit/s"),
}
PICTURE_LINK = LinkOptions(0.025, rate=50 * MBIT, queue=500_000)
HANDSHAKE_LINK = LinkOptions(0.050, rate=50 * MBIT)


@dataclass(frozen=True)
class Options:
    """How much to measure."""

    runs: int = RUNS
    peers: bool = True

    @property
    def seeds(self) -> range:
        """One for each run: the link loses the same packets for everybody."""
        return range(1, self.runs + 1)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The peers that send."""
        return ("aiortc", "chromium") if self.peers else ()


Rows = AsyncIterator[Row]
Measure = Callable[[Options], Rows]


async def of_peers(
    options: Options, measure_one: Callable[[str, int], Awaitable[float]], at_most: int | None = None
) -> dict[str, list[float]]:
    """What `measure_one` says of each peer, by seed; `at_most` so many runs where one takes long."""
    seeds = options.seeds[:at_most]
    return {kind: [await measure_one(kind, seed) for seed in seeds] for kind in options.kinds}


async def transfer(link: LinkOptions | None, kind: str, browser: str, size: int, seed: int) -> Result:
    """One transfer by one kind of sender into one browser, over a fresh link; None: on this machine.

    Raises MeasuringError where ours does not bring everything. A peer may be cut short: its rate is what has come.
    """
    patience_s = PATIENCE_S if kind == "seedshot" else PEER_PATIENCE_S
    with _lab(link, seed) as lab:
        async with browser_in(lab.viewer if lab else None, browser) as viewer:
            if kind != "chromium":
                return whole_of(await measure(lab, viewer, kind, size, patience_s), size)
            async with sending_browser_in(lab.owner if lab else None) as owner:
                return await measure_browsers(viewer, owner, size, patience_s)


def whole_of(result: Result, size: int) -> Result:
    """That result, if it is a peer's or of everything; raises MeasuringError."""
    if result.kind == "seedshot" and result.bytes != size:
        raise MeasuringError(f"Our transfer has brought {result.bytes} of {size} bytes.")
    return result


def _lab(link: LinkOptions | None, seed: int) -> AbstractContextManager[Lab | None]:
    return open_lab(link, seed=seed) if link else nullcontext()
