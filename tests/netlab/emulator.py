"""Carries packets between two namespaces over an emulated link; runs as a process of its own.

``python -m tests.netlab.emulator NAMESPACE NAMESPACE FORWARD BACK SEED`` where
FORWARD and BACK are LinkOptions as JSON. Prints ``ready``, and at its end, on
a line, what each direction did.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import sys
import time
from dataclasses import asdict
from typing import NoReturn

from tests.netlab import namespaces, packets
from tests.netlab.link import Link, LinkOptions

DEVICE = "link0"
MTU = 1500
_TUNSETIFF = 0x400454CA
_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000


def open_tun(namespace: str) -> int:
    """A TUN device in `namespace`; the descriptor carries one IP packet a read."""
    with namespaces.inside(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    return descriptor


class Emulator:
    """Two TUN devices and a link each way between them."""

    def __init__(self, descriptors: tuple[int, int], forward: Link[bytes], back: Link[bytes]) -> None:
        self._sides = ((descriptors[0], descriptors[1], forward), (descriptors[1], descriptors[0], back))

    def run(self) -> NoReturn:
        """Carry packets for ever."""
        sources = [side[0] for side in self._sides]
        while True:
            readable, _, _ = select.select(sources, (), (), self._patience())
            for source, target, link in self._sides:
                if source in readable:
                    self._take(source, link)
                for packet in link.arrivals(time.perf_counter()):
                    _write(target, packet)

    def _patience(self) -> float | None:
        times = [at for _, _, link in self._sides if (at := link.next_arrival()) is not None]
        return max(0.0, min(times) - time.perf_counter()) if times else None

    @staticmethod
    def _take(source: int, link: Link[bytes]) -> None:
        for _ in range(64):
            try:
                packet = os.read(source, 65536)
            except BlockingIOError:
                return
            if len(packet) > link.mtu and link.options.narrow != "hole":
                _squeeze(source, packet, link)
            else:
                link.send(time.perf_counter(), packet, len(packet))


def _squeeze(source: int, packet: bytes, link: Link[bytes]) -> None:
    """As a router does with a packet that is too large for its next link."""
    mtu = int(link.mtu)
    if packets.may_be_fragmented(packet):
        for part in packets.fragments(packet, mtu):
            link.send(time.perf_counter(), part, len(part))
        return
    link.too_large += 1
    if link.options.narrow == "router":
        _write(source, packets.too_big(packet, mtu))


def _write(target: int, packet: bytes) -> None:
    try:
        os.write(target, packet)
    except OSError:
        pass  # the device is full or going down: as a real link, we lose the packet


def main(arguments: list[str]) -> None:
    """See the module."""
    first, second, forward, back, seed = arguments
    namespaces.end_with_parent()
    links = [Link[bytes](LinkOptions(**json.loads(text)), int(seed) + i) for i, text in enumerate((forward, back))]
    descriptors = (open_tun(first), open_tun(second))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    try:
        Emulator(descriptors, *links).run()
    finally:
        print(json.dumps([_statistics(x) for x in links]), flush=True)


def _statistics(link: Link[bytes]) -> dict[str, int]:
    return {name: getattr(link, name) for name in ("carried", "dropped", "lost", "too_large", "largest")}


def as_json(options: LinkOptions) -> str:
    """`options` as the command line takes them."""
    return json.dumps(asdict(options))


if __name__ == "__main__":
    main(sys.argv[1:])
