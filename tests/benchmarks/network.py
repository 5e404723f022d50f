"""The transport on real networks, beside stock aiortc and Chromium to Chromium, in the same run.

``python -m tests.benchmarks network`` measures every row, which takes about 45
minutes on an idle machine with two cores, nearly half of them beside TCP;
``python -m tests.benchmarks.network [--runs N] [ROW…]`` measures some of them.
Everything is run five times, peers beside TCP three times.
Links are emulated between two network namespaces (see ``tests.netlab``), so it
needs root; the rows ``loopback`` and ``viewers`` do not. Receivers are
unmodified browsers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.benchmarks._collecting import collect
from tests.benchmarks.network_rows.beside import FIRST_S, LATE_S, queue, tcp
from tests.benchmarks.network_rows.common import RUNS, Measure, Options, Rows
from tests.benchmarks.network_rows.crowd import viewers
from tests.benchmarks.network_rows.page import handshake, painted, whole
from tests.benchmarks.network_rows.transfers import loopback, picture, throughput
from tests.support.measuring import MeasuringError, Row, show

ROWS: dict[str, Measure] = {
    "lossy": throughput("lossy"),
    "fast": throughput("fast"),
    "shallow": throughput("shallow"),
    "far": throughput("far"),
    "picture": picture,
    "handshake": handshake,
    "painted": painted,
    "whole": whole,
    "queue": queue,
    "tcp": tcp("a TCP download beside us keeps, both begin"),
    "first": tcp("a TCP download keeps that began 2 s before us", ours_after_s=FIRST_S),
    "late": tcp("a TCP download keeps that came 5 s after us", tcp_after_s=LATE_S),
    "loopback": loopback,
    "viewers": viewers,
}


async def measure_rows(names: Sequence[str], options: Options) -> Rows:
    """The rows called `names`, each told as it comes.

    One that fails does not keep the others: MeasuringError, which says of each what went wrong, comes at the end.
    """
    failures = []
    for name in names:
        began = time.monotonic()
        try:
            async for row in ROWS[name](options):
                sys.stderr.write(f"{row.what}: {row.median:.2f} {row.unit}  [{row.peer}]\n")
                yield row
        except MeasuringError as error:
            failures.append(f"{name}: {error}")
        sys.stderr.write(f"({name} took {time.monotonic() - began:.0f} s)\n")
    if failures:
        raise MeasuringError("\n".join(failures))


def rows() -> Rows:
    """Every row."""
    return measure_rows(list(ROWS), Options())


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.network", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which; all of them unless named")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--no-peers", action="store_true", help="leave aiortc and Chromium out")
    words = parser.parse_args()
    measured: list[Row] = []
    code = collect(measure_rows(words.rows or list(ROWS), Options(words.runs, not words.no_peers)), measured)
    return max(code, show(measured))


if __name__ == "__main__":
    sys.exit(_main())
