"""What a benchmark measured, beside its limit or its peer, as one table."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured quantity."""

    what: str
    values: Sequence[float]
    """Every measurement, in `unit`."""
    unit: str
    limit: float | None = None
    """The median may not pass it; None: nothing was promised."""
    peer: str = ""
    """What others take for the same, with its source."""
    more_is_better: bool = False
    """The limit is the least, not the most."""

    @property
    def median(self) -> float:
        """The middle of what was measured."""
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        if self.limit is None:
            return True
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
    limit = "" if row.limit is None else f"{'≥' if row.more_is_better else '≤'} {_number(row.limit)} {row.unit}"
    verdict = "" if row.limit is None else "holds" if row.holds else "BROKEN"
    span = f"{_number(min(row.values))} to {_number(max(row.values))}"
    return (row.what, f"{_number(row.median)} {row.unit}", span, str(len(row.values)), limit, verdict, row.peer)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def show(rows: Iterable[Row]) -> int:
    """Print the machine and the table; the exit code says whether every limit holds."""
    found = list(rows)
    sys.stdout.write(f"{machine()}\n\n{table(found)}\n")
    sys.stdout.flush()
    return 0 if all(row.holds for row in found) else 1
