"""Try a link by hand: ``python -m tests.netlab --delay 25 --loss 1 --rate 50 --queue 500 --size 10``."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.netlab.lab import Lab, Nat, open_lab
from tests.netlab.link import LinkOptions
from tests.netlab.namespaces import LabError
from tests.netlab.transfer import Result, browser_in, measure, measure_browsers, sending_browser_in


def main() -> int:
    """Set the link up, transfer over it, say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.netlab", description=__doc__)
    parser.add_argument("--delay", type=float, default=25, help="milliseconds each way")
    parser.add_argument("--jitter", type=float, default=0, help="milliseconds on top")
    parser.add_argument("--loss", type=float, default=0, help="percent each way")
    parser.add_argument("--reorder", type=float, default=0, help="percent")
    parser.add_argument("--rate", type=float, default=50, help="Mbit/s each way, 0 for no limit")
    parser.add_argument("--queue", type=float, default=500, help="kilobytes")
    parser.add_argument("--size", type=float, default=10, help="megabytes to transfer")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=["seedshot", "aiortc", "chromium"])
    parser.add_argument("--browser", choices=["chromium", "firefox"], default="chromium", help="who receives")
    kinds = {nat.name.lower().replace("_", "-"): nat for nat in Nat}
    parser.add_argument("--nat", choices=kinds, help="the router that the viewer is behind")
    parser.add_argument("--loopback", action="store_true", help="no link at all; needs no root")
    options = parser.parse_args()
    link = LinkOptions(
        delay_s=options.delay / 1e3,
        jitter_s=options.jitter / 1e3,
        loss=options.loss / 100,
        reorder=options.reorder / 100,
        rate=options.rate * 1e6,
        queue=int(options.queue * 1e3),
    )
    try:
        for run in range(options.runs):
            for kind in options.kind or ["seedshot"]:
                size = int(options.size * 1e6)
                if options.loopback:
                    print(_line(asyncio.run(_transfer(None, kind, options.browser, size))), flush=True)
                    continue
                with open_lab(link, seed=options.seed + run, nat=kinds.get(options.nat)) as lab:
                    result = asyncio.run(_transfer(lab, kind, options.browser, size))
                print(_line(result), lab.statistics, flush=True)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _transfer(lab: Lab | None, kind: str, browser: str, size: int) -> Result:
    async with browser_in(lab.viewer if lab else None, browser) as viewer:
        if kind != "chromium":
            return await measure(lab, viewer, kind, size)
        async with sending_browser_in(lab.owner if lab else None) as owner:
            return await measure_browsers(viewer, owner, size)


def _line(result: Result) -> str:
    return (
        f"{result.kind:9} {result.mbit:6.1f} Mbit/s  open {result.open_s:.3f} s  first byte {result.first_s:.3f} s  "
        f"all {result.last_s:.3f} s  owner's CPU {result.cpu_s:.2f} s"
    )


if __name__ == "__main__":
    raise SystemExit(main())
