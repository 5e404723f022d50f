"""Cyclic garbage is collected on the GUI thread only.

CPython collects on whichever thread happens to allocate. A QObject in a cycle
that a worker thread collects is destroyed there: its timers cannot be stopped
from that thread, and Qt's loop soon fires one for an object that is no more,
which ends the process. So the automatic collection is switched off, and done
when the loop is about to wait, by the same thresholds. An idle app stays idle.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QAbstractEventDispatcher


def collect_here() -> None:
    """From now on only this thread collects, which has Qt's application object; more than once is the same as once."""
    if not gc.isenabled():
        return
    gc.disable()
    QAbstractEventDispatcher.instance().aboutToBlock.connect(collect_due)


def collect_due() -> None:
    """Collect what the interpreter would have collected by itself by now."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    if not 0 < thresholds[0] < counts[0]:
        return
    gc.collect(max(age for age in range(3) if age == 0 or 0 < thresholds[age] < counts[age]))
