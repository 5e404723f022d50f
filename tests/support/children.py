"""Ending asyncio's child processes that may be ending by themselves at the same moment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys


def kill(process: asyncio.subprocess.Process) -> None:
    """End it at once if it still runs.

    Before Python 3.13 ``Process.kill`` asks whether it runs first, which takes the exit code away from the thread
    that waits for it: asyncio then warns of an unknown child and reports 255 (CPython issue 87744).
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.kill(process.pid, signal.SIGKILL)
