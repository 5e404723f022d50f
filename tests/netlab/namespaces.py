"""Network namespaces: made, entered, and taken away again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab cannot be set up here; the text says why."""


def require_root() -> None:
    """Raise LabError unless this process may make namespaces."""
    if os.geteuid() != 0:
        raise LabError("The network lab needs root: it makes network namespaces. Run it with sudo, or in a container.")
    if not Path("/dev/net/tun").exists():
        raise LabError("The network lab needs /dev/net/tun, which this machine does not have.")


def ip(*arguments: str) -> None:
    """One command of iproute2; raises LabError with what it said."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def create(name: str) -> None:
    """A new namespace with a loopback."""
    ip("netns", "add", name)
    ip("-n", name, "link", "set", "lo", "up")


def delete(name: str) -> None:
    """Take a namespace away; nothing where there is none."""
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def sweep() -> None:
    """Take away what labs have left behind whose process was killed."""
    folder = Path("/run/netns")
    for path in folder.glob("seedshot-*") if folder.exists() else ():
        owner = path.name.split("-")[1]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            delete(path.name)


def end_with_parent() -> None:
    """Have this process ended when the one that started it ends, however that comes about."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread, and every process that it starts, is in the namespace `name`."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(name)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def enter(name: str) -> None:
    """Move this thread into the namespace `name`."""
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(there)
    finally:
        os.close(there)


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")
