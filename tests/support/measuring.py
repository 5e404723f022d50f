"""What a benchmark measured, beside its limit or its peer, as one table."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class MeasuringError(Exception):
    """What was to be measured has failed; the text says how."""


@dataclass(frozen=True)
class Row:
    """One measured quantity."""

    what: str
    values: Sequence[float]
    """Every measurement, in `unit`."""
    unit: str
    limit: float | tuple[float, float] | None = None
    """The median may not pass it; two numbers: the least and the most; None: nothing was promised."""
    peer: str = ""
    """What others take for the same, with its source."""
    more_is_better: bool = False
    """A limit of one number is the least, not the most."""

    @property
    def median(self) -> float:
        """The middle of what was measured."""
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        if self.limit is None:
            return True
        if isinstance(self.limit, tuple):
            return self.limit[0] <= self.median <= self.limit[1]
        return self.median >= self.limit if self.more_is_better else self.median <= self.limit


def machine() -> str:
    """The machine that measured, in one line."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    cores = os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def table(rows: Iterable[Row]) -> str:
    """The rows as aligned text."""
    header = ("", "median", "range", "runs", "limit", "", "peer")
    lines = [header, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "" if row.limit is None else "holds" if row.holds else "BROKEN"
    return (
        *(row.what, f"{_number(row.median)} {row.unit}", _span(row.values), str(len(row.values))),
        *(_limit(row), verdict, row.peer),
    )


def _limit(row: Row) -> str:
    match row.limit:
        case None:
            return ""
        case (least, most):
            return f"{_number(least)} to {_number(most)} {row.unit}".rstrip()
        case bound:
            return f"{'≥' if row.more_is_better else '≤'} {_number(bound)} {row.unit}".rstrip()


def spread(name: str, values: Sequence[float], unit: str = "") -> str:
    """What a peer takes, as a row shows it: ``aiortc 2.2 (2.0 to 2.4, 5 runs)``."""
    runs = f"{len(values)} run{'s' if len(values) != 1 else ''}"
    return f"{name} {_number(statistics.median(values))} {unit}".rstrip() + f" ({_span(values)}, {runs})"


def spreads(peers: Mapping[str, Sequence[float]]) -> str:
    """Every peer's."""
    return ", ".join(spread(name, values) for name, values in peers.items())


def _span(values: Sequence[float]) -> str:
    low, high = _number(min(values)), _number(max(values))
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def show(rows: Iterable[Row]) -> int:
    """Print the machine and the table, where there is one; the exit code says whether every limit holds."""
    found = list(rows)
    if found:
        sys.stdout.write(f"{machine()}\n\n{table(found)}\n")
        sys.stdout.flush()
    return 0 if all(row.holds for row in found) else 1
