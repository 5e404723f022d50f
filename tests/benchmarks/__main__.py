"""``python -m tests.benchmarks [name…]``: measures, and prints each figure beside its limit or its peer.

A benchmark is a module of this folder with ``rows()``, which measures and
returns ``tests.support.measuring.Row``s, or an iterator of them, and may be a
coroutine function; or with ``main()``, which prints its own table and returns
an exit code. Without names all run. The exit code says whether every limit holds.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from tests.support.measuring import Row, show

HERE = Path(__file__).parent


def main(names: Sequence[str]) -> int:
    """Run the benchmarks called `names`, or all."""
    known = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    if strange := [name for name in names if name not in known]:
        sys.stderr.write(f"There is no benchmark {', '.join(strange)}. There are: {', '.join(known)}\n")
        return 2
    measured: list[Row] = []
    code = 0
    for name in names or known:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        module = importlib.import_module(f"tests.benchmarks.{name}")
        if hasattr(module, "rows"):
            measured.extend(_rows_of(module))
        else:
            code |= int(module.main())
    return (show(measured) if measured else 0) | code


def _rows_of(module: ModuleType) -> Iterable[Row]:
    found = module.rows()
    rows: Iterable[Row] = asyncio.run(found) if inspect.iscoroutine(found) else found
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
