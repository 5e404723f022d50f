"""Garbage of windows: collected by the thread that has them, and by no other."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import QObject

from seedshot_desktop.ui import garbage
from tests.support.command_line import ROOT
from tests.support.qt import qt_loop
from tests.support.waiting import until


class Knot(QObject):
    """Only the cyclic collector can free it; tells on which thread."""

    freed_on: list[threading.Thread]

    def __init__(self, freed_on: list[threading.Thread]) -> None:
        super().__init__()
        self.itself, self.freed_on = self, freed_on

    def __del__(self) -> None:
        self.freed_on.append(threading.current_thread())


def allocate() -> None:
    """As many containers as make the interpreter collect, were it to do so by itself."""
    for _ in range(40):
        kept: list[list[int]] = [[] for _ in range(gc.get_threshold()[0] + 1)]
        del kept


def test_a_busy_thread_collects_nothing_and_the_waiting_loop_does() -> None:
    freed_on: list[threading.Thread] = []
    with qt_loop() as run:
        Knot(freed_on)
        worker = threading.Thread(target=allocate)
        worker.start()
        worker.join()
        assert freed_on == []
        kept: list[list[int]] = [[] for _ in range(gc.get_threshold()[0] + 1)]
        run(until(lambda: freed_on, "the collection"))
    assert kept
    assert freed_on == [threading.main_thread()]


@pytest.mark.parametrize(
    ("counts", "collected"),
    [((700, 99, 99), []), ((701, 10, 10), [0]), ((701, 11, 10), [1]), ((701, 10, 11), [2]), ((701, 11, 11), [2])],
)
def test_the_oldest_generation_that_is_due_is_collected(
    monkeypatch: pytest.MonkeyPatch, counts: tuple[int, int, int], collected: list[int]
) -> None:
    generations: list[int] = []
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "collect", generations.append)
    garbage.collect_due()
    assert generations == collected


@pytest.mark.parametrize("thresholds", [(0, 10, 10), (700, 10, 0)])
def test_a_threshold_of_nothing_is_never_due(monkeypatch: pytest.MonkeyPatch, thresholds: tuple[int, int, int]) -> None:
    generations: list[int] = []
    monkeypatch.setattr(gc, "get_threshold", lambda: thresholds)
    monkeypatch.setattr(gc, "get_count", lambda: (701, 0, 99))
    monkeypatch.setattr(gc, "collect", generations.append)
    garbage.collect_due()
    assert generations == ([0] if thresholds[0] else [])


def test_the_application_collects_on_its_own_thread() -> None:
    program = "import gc; from seedshot_desktop.ui import startup; startup.application(); print(gc.isenabled())"
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'; {program}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
