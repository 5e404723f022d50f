"""Word of a changed address and of a clock that jumped, from the kernel itself, in a network of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.command_line import ROOT
from tests.support.programs import find

_PROGRAM = """
import subprocess, sys
from PySide6.QtCore import QCoreApplication, QTimer
from seedshot_desktop.ui.network_watch import NetworkWatch

application = QCoreApplication([])
watch = NetworkWatch()
changes = []

def act():
    for words in ("addr add 10.9.9.9/24 dev lo", "addr add 10.9.9.10/24 dev lo", "link set lo up"):
        subprocess.run([sys.argv[1], *words.split()], check=True)

def changed():
    changes.append(1)
    QTimer.singleShot(1500, application.quit)

watch.changed.connect(changed)
watch.start()
QTimer.singleShot(0, act)
QTimer.singleShot(8000, application.quit)
application.exec()
watch.close()
watch.close()
print("changes:", len(changes))
"""


def test_a_burst_of_changed_addresses_is_told_once() -> None:
    command = [find("unshare"), "--user", "--map-root-user", "--net", sys.executable, "-c", _PROGRAM, find("ip")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("changes: 1\n", "")
