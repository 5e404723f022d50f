"""Thumbnails are made in a thread while the windows draw: neither may ever wait for the other for good."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.command_line import ROOT
from tests.support.programs import Program

_DRAW_AND_READ = """
import sys, threading
from seedshot_desktop.ui import icons, pictures
from tests.support.qt import application

def make_thumbnails():
    for _ in range(5000):
        pictures.thumbnail_of(sys.argv[1])

app = application()
drawn = 0
worker = threading.Thread(target=make_thumbnails)
worker.start()
while worker.is_alive():
    icons.pixmap.cache_clear()
    icons.pixmap("copy", "#123456")
    drawn += 1
print("drawn" if drawn else "nothing was drawn")
"""
"""In a process of its own: where both wait for good, the interpreter's lock is held, and no time limit helps."""


def test_a_window_draws_while_a_thread_looks_into_files(tmp_path: Path) -> None:
    file = tmp_path / "numbers.bin"
    file.write_bytes(bytes(range(256)))
    program = Program([sys.executable, "-c", _DRAW_AND_READ, str(file)], os.environ, cwd=ROOT)
    try:
        assert program.wait(30.0) == 0, program.output()
        assert program.output() == "drawn\n"
    finally:
        program.end()
