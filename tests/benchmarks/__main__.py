"""``python -m tests.benchmarks [name…]``: measures, and prints each figure beside its limit or its peer.

A benchmark is a module of this folder with ``rows()``, which measures and
returns ``tests.support.measuring.Row``s, or an iterator of them, and may be a
coroutine function or an asynchronous iterator; or with ``main()``, which prints
its own table and returns an exit code. Without names all run. The exit code is 0
where every limit holds, 1 where one does not or something failed, and 2 where
something cannot be measured here; what was measured is shown in any case.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks._collecting import collect, guarded
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
        code = max(code, collect(module.rows(), measured) if hasattr(module, "rows") else guarded(module.main))
    return max(code, show(measured))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
