"""A lab of two hosts that an emulated link joins, the owner's and the viewer's; the viewer may be behind a NAT."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.netlab import namespaces
from tests.netlab.emulator import DEVICE, MTU, as_json
from tests.netlab.link import LinkOptions

OWNER_ADDRESS = "10.77.1.1"
VIEWER_ADDRESS = "10.77.2.1"
INSIDE_ADDRESS = "192.168.7.2"
"""The viewer's, where it is behind a NAT; the NAT then has `VIEWER_ADDRESS`."""
ROUTER_ADDRESS = "192.168.7.1"
ROOT = Path(__file__).parents[2]
_numbers = itertools.count()


class Nat(Enum):
    """How a router translates UDP (RFC 4787); all of them filter by address and port."""

    PORT_RESTRICTED = "masquerade"
    """One port for one socket, whoever it sends to: most home routers."""
    SYMMETRIC = "masquerade fully-random"
    """Another port for every destination: carriers and offices."""


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
def open_lab(
    forward: LinkOptions, back: LinkOptions | None = None, seed: int = 1, nat: Nat | None = None
) -> Iterator[Lab]:
    """A lab whose link from the owner to the viewer is `forward`; `back` is the same unless it is given.

    `nat` puts the viewer behind a router of that kind.

    Raises LabError where the machine does not allow it.
    """
    namespaces.require_root()
    namespaces.sweep()
    name = f"seedshot-{os.getpid()}-{next(_numbers)}"
    lab_names = (f"{name}-owner", f"{name}-viewer")
    emulator = None
    try:
        for namespace in lab_names:
            namespaces.create(namespace)
        emulator = _start_emulator(lab_names, forward, back or forward, seed)
        for namespace, address in zip(lab_names, (OWNER_ADDRESS, VIEWER_ADDRESS), strict=True):
            _set_up(namespace, address)
        viewer = lab_names[1]
        if nat is not None:
            viewer = f"{name}-inside"
            namespaces.create(viewer)
            _set_up_nat(viewer, lab_names[1], nat)
        lab = Lab(lab_names[0], viewer, emulator)
        yield lab
        lab.statistics = _stop(emulator)
    finally:
        if emulator is not None and emulator.poll() is None:
            emulator.kill()
            emulator.communicate()
        for namespace in (*lab_names, f"{name}-inside"):
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


def _set_up_nat(inside: str, router: str, nat: Nat) -> None:
    namespaces.ip("-n", router, "link", "add", "inner", "type", "veth", "peer", "name", "eth0", "netns", inside)
    for namespace, device, address in ((router, "inner", ROUTER_ADDRESS), (inside, "eth0", INSIDE_ADDRESS)):
        namespaces.ip("-n", namespace, "addr", "add", f"{address}/24", "dev", device)
        namespaces.ip("-n", namespace, "link", "set", device, "up")
    namespaces.ip("-n", inside, "route", "add", "default", "via", ROUTER_ADDRESS)
    rules = f"""
        table ip lab {{
            chain leave {{ type nat hook postrouting priority srcnat; oifname {DEVICE} {nat.value}; }}
            chain enter {{ type filter hook input priority filter; iifname {DEVICE} meta l4proto udp drop; }}
        }}
    """
    with namespaces.inside(router):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        done = subprocess.run(["nft", "-f", "-"], input=rules, text=True, capture_output=True, check=False)
    if done.returncode:
        raise namespaces.LabError(f"nft: {done.stderr.strip()}")


def _stop(emulator: subprocess.Popen[str]) -> list[dict[str, int]]:
    emulator.terminate()
    output, _ = emulator.communicate(timeout=5)
    statistics: list[dict[str, int]] = json.loads(output.strip().splitlines()[-1])
    return statistics
