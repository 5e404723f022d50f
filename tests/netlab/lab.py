"""A lab of two hosts that an emulated link joins, the owner's and the viewer's.

Either may be behind a NAT, and both may reach a third one, a public server,
beside the link: without delay or loss, as it is not what is measured.
"""

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
"""Of the ends of the link; where somebody is behind a NAT, it is the NAT's."""
PUBLIC_ADDRESS = "10.77.3.1"
HOMES = ("192.168.5", "192.168.7")
"""The networks behind the owner's NAT and the viewer's: the router has 1 in it, and the host 2."""
ROOT = Path(__file__).parents[2]
_PUBLIC_DEVICE = "public0"
_numbers = itertools.count()


class Nat(Enum):
    """How a router translates UDP (RFC 4787); it has one public address, and keeps the port where it can."""

    FULL_CONE = "full cone"
    """One port for one socket, whoever it sends to, and whoever sends to that port gets through."""
    PORT_RESTRICTED = "port restricted"
    """One port for one socket, and only answers get through, by address and port: most home routers."""
    SYMMETRIC = "symmetric"
    """Another port for every destination, and only answers get through: carriers and offices."""


@dataclass
class Lab:
    """The namespaces; ``namespaces.inside(lab.owner)`` puts sockets and processes there."""

    owner: str
    viewer: str
    emulator: subprocess.Popen[str]
    public: str = ""
    """The server's, with PUBLIC_ADDRESS; "" where there is none."""
    statistics: list[dict[str, int]] = field(default_factory=list)
    """Of the link to the viewer and of the link back, once the lab is closed."""

    def command(self, namespace: str, *command: str) -> list[str]:
        """A command line that runs in one of the namespaces."""
        return ["ip", "netns", "exec", namespace, *command]


@contextlib.contextmanager
def open_lab(
    forward: LinkOptions,
    back: LinkOptions | None = None,
    seed: int = 1,
    *,
    nat: Nat | None = None,
    owner_nat: Nat | None = None,
    with_public: bool = False,
) -> Iterator[Lab]:
    """A lab whose link from the owner to the viewer is `forward`; `back` is the same unless it is given.

    `nat` and `owner_nat` put the viewer and the owner behind routers of that kind; `with_public` adds the server.

    Raises LabError where the machine does not allow it.
    """
    namespaces.require_root()
    namespaces.sweep()
    name = f"seedshot-{os.getpid()}-{next(_numbers)}"
    ends = (f"{name}-owner", f"{name}-viewer")
    public = f"{name}-public"
    emulator = None
    try:
        for namespace in ends:
            namespaces.create(namespace)
        emulator = _start_emulator(ends, forward, back or forward, seed)
        for namespace, address in zip(ends, (OWNER_ADDRESS, VIEWER_ADDRESS), strict=True):
            _set_up(namespace, address)
        if with_public:
            _set_up_public(public, ends)
        owner = _behind(ends[0], OWNER_ADDRESS, HOMES[0], owner_nat)
        viewer = _behind(ends[1], VIEWER_ADDRESS, HOMES[1], nat)
        lab = Lab(owner, viewer, emulator, public if with_public else "")
        yield lab
        lab.statistics = _stop(emulator)
    finally:
        if emulator is not None and emulator.poll() is None:
            emulator.kill()
            emulator.communicate()
        for namespace in (*ends, *map(_inside, ends), public):
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


def _set_up_public(public: str, ends: tuple[str, str]) -> None:
    """A host with a wire to each end, and one address that both know."""
    namespaces.create(public)
    namespaces.ip("-n", public, "addr", "add", f"{PUBLIC_ADDRESS}/32", "dev", "lo")
    for end, device, address in zip(ends, ("owner0", "viewer0"), (OWNER_ADDRESS, VIEWER_ADDRESS), strict=True):
        wire = ("link", "add", device, "type", "veth", "peer", "name", _PUBLIC_DEVICE, "netns", end)
        namespaces.ip("-n", public, *wire)
        namespaces.ip("-n", public, "link", "set", device, "up")
        namespaces.ip("-n", end, "link", "set", _PUBLIC_DEVICE, "up")
        namespaces.ip("-n", public, "route", "add", f"{address}/32", "dev", device)
        namespaces.ip("-n", end, "route", "add", f"{PUBLIC_ADDRESS}/32", "dev", _PUBLIC_DEVICE, "src", address)


def _inside(router: str) -> str:
    return f"{router}-home"


def _behind(router: str, address: str, home: str, nat: Nat | None) -> str:
    """The namespace of the host itself: behind `router`, which has `address` outside; without a NAT, the same."""
    if nat is None:
        return router
    inside = _inside(router)
    namespaces.create(inside)
    namespaces.ip("-n", router, "link", "add", "inner", "type", "veth", "peer", "name", "eth0", "netns", inside)
    for namespace, device, number in ((router, "inner", 1), (inside, "eth0", 2)):
        namespaces.ip("-n", namespace, "addr", "add", f"{home}.{number}/24", "dev", device)
        namespaces.ip("-n", namespace, "link", "set", device, "up")
    namespaces.ip("-n", inside, "route", "add", "default", "via", f"{home}.1")
    with namespaces.inside(router):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        rules = _rules(nat, address, f"{home}.2")
        done = subprocess.run(["nft", "-f", "-"], input=rules, text=True, capture_output=True, check=False)
    if done.returncode:
        raise namespaces.LabError(f"nft: {done.stderr.strip()}")
    return inside


def _rules(nat: Nat, address: str, host: str) -> str:
    """The NAT, and the firewall that each router is besides: addresses inside cannot be reached from outside.

    What comes unasked is dropped before the router remembers it: the answer to it must find the port free.
    """
    outside = f"{{ {DEVICE}, {_PUBLIC_DEVICE} }}"
    rules = f"""
        chain leave {{
            type nat hook postrouting priority srcnat;
            oifname {outside} snat to {address} {"fully-random" if nat is Nat.SYMMETRIC else ""};
        }}
        chain enter {{ type filter hook input priority filter; iifname {outside} meta l4proto udp drop; }}
        chain cross {{
            type filter hook forward priority filter; policy drop;
            iifname inner accept;
            ct state established,related accept;
            ct status dnat accept;
        }}
    """
    if nat is Nat.FULL_CONE:
        rules += f"""
            set mapped {{ type inet_service; flags dynamic; }}
            chain note {{ type filter hook forward priority mangle; iifname inner add @mapped {{ udp sport }}; }}
            chain come {{
                type nat hook prerouting priority dstnat;
                iifname {outside} udp dport @mapped dnat to {host};
            }}
        """
    return f"table ip lab {{ {rules} }}"


def _stop(emulator: subprocess.Popen[str]) -> list[dict[str, int]]:
    emulator.terminate()
    output, _ = emulator.communicate(timeout=5)
    statistics: list[dict[str, int]] = json.loads(output.strip().splitlines()[-1])
    return statistics
