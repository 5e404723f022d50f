"""A lab of two hosts that an emulated link joins: the owner's and the viewer's."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.netlab import namespaces
from tests.netlab.emulator import DEVICE, MTU, as_json
from tests.netlab.link import LinkOptions

OWNER_ADDRESS = "10.77.1.1"
VIEWER_ADDRESS = "10.77.2.1"
ROOT = Path(__file__).parents[2]
_numbers = itertools.count()


@dataclass
class Lab:
    """Two namespaces; ``namespaces.inside(lab.owner)`` puts sockets and processes there."""

    owner: str
    viewer: str
    emulator: subprocess.Popen[str]
    statistics: list[dict[str, int]] = field(default_factory=list)
    """Of the link to the viewer and of the link back, once the lab is closed."""

    def command(self, namespace: str, *command: str) -> list[str]:
        """A command line that runs in one of the namespaces."""
        return ["ip", "netns", "exec", namespace, *command]


@contextlib.contextmanager
def open_lab(forward: LinkOptions, back: LinkOptions | None = None, seed: int = 1) -> Iterator[Lab]:
    """A lab whose link from the owner to the viewer is `forward`; `back` is the same unless it is given.

    Raises LabError where the machine does not allow it.
    """
    namespaces.require_root()
    name = f"seedshot-{os.getpid()}-{next(_numbers)}"
    lab_names = (f"{name}-owner", f"{name}-viewer")
    emulator = None
    try:
        for namespace in lab_names:
            namespaces.create(namespace)
        emulator = _start_emulator(lab_names, forward, back or forward, seed)
        for namespace, address in zip(lab_names, (OWNER_ADDRESS, VIEWER_ADDRESS), strict=True):
            _set_up(namespace, address)
        lab = Lab(*lab_names, emulator)
        yield lab
        lab.statistics = _stop(emulator)
    finally:
        if emulator is not None and emulator.poll() is None:
            emulator.kill()
            emulator.communicate()
        for namespace in lab_names:
            namespaces.delete(namespace)


def _start_emulator(
    names: tuple[str, str], forward: LinkOptions, back: LinkOptions, seed: int
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.netlab.emulator", *names, as_json(forward), as_json(back), str(seed)]
    process = subprocess.Popen(["nice", "-n", "-10", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise namespaces.LabError("the link emulator did not start")
    return process


def _set_up(namespace: str, address: str) -> None:
    namespaces.ip("-n", namespace, "addr", "add", f"{address}/32", "dev", DEVICE)
    namespaces.ip("-n", namespace, "link", "set", DEVICE, "mtu", str(MTU), "txqueuelen", "10000", "up")
    namespaces.ip("-n", namespace, "route", "add", "default", "dev", DEVICE)


def _stop(emulator: subprocess.Popen[str]) -> list[dict[str, int]]:
    emulator.terminate()
    output, _ = emulator.communicate(timeout=5)
    statistics: list[dict[str, int]] = json.loads(output.strip().splitlines()[-1])
    return statistics
