"""Senders that probe, on a simulated link that may be narrow or become so (pure): the transport's own prober, with a
socket that is simulated too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.probing import Prober
from seedshot_desktop.seed.transport.sender import PACKET_OVERHEAD, Sender
from tests.netlab.link import Link, LinkOptions
from tests.netlab.simulation import Flow, Network

HEARTBEAT = 4
ANSWER_SIZE = 100
Thing = tuple[int, object]


class SimulatedPath:
    """What the prober knows of a socket, and of the address at its other end."""

    def __init__(
        self, *, is_v6: bool = False, can_probe: bool = True, interface: int = 1500, carries_fragments: bool = True
    ) -> None:
        """`interface`: its MTU. `carries_fragments`: of what may be fragmented, the parts arrive."""
        self.ip_header = 40 if is_v6 else 20
        self.can_probe = can_probe
        self.can_fragment = False
        self.interface = interface
        self.narrowed = False
        self.is_fragmented = False
        """What is too large arrives in parts."""
        self._is_v6 = is_v6
        self._carries_fragments = carries_fragments

    def widened(self) -> None:
        self.can_fragment = not self._is_v6
        self.is_fragmented = self.can_fragment and self._carries_fragments


class NarrowLink(Link[Thing]):
    """A link that carries heartbeats to who answers them, and fragments what may be fragmented."""

    def __init__(self, options: LinkOptions, seed: int, network: ProbedNetwork) -> None:
        super().__init__(options, seed)
        self._network = network

    def send(self, now: float, packet: Thing, size: int) -> None:
        if self._network.path.is_fragmented and self is self._network.forward:
            size = int(min(size, self.mtu))
        super().send(now, packet, size)

    def arrivals(self, now: float) -> list[Thing]:
        data = []
        for index, thing in super().arrivals(now):
            if isinstance(thing, bytes) and thing[0] == HEARTBEAT:
                self._network.answer(now, index, thing)
            elif isinstance(thing, bytes) and thing[0] == HEARTBEAT + 1:
                self._network.hear(now, thing[4:])
            else:
                data.append((index, thing))
        return data


class ProbedNetwork(Network):
    """One flow that probes its path."""

    def __init__(
        self,
        options: LinkOptions,
        path: SimulatedPath | None = None,
        seed: int = 1,
        naps: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(options, options, seed, naps)
        self.path = path or SimulatedPath()
        self.forward = NarrowLink(options, seed, self)
        self.back = NarrowLink(LinkOptions(options.delay_s, loss=options.loss), seed + 1, self)
        self.prober = Prober(cast(Dtls, self), lambda chunks: chunks)
        self.probes: list[tuple[float, int, bool]] = []
        """When, of how many bytes of payload, and whether it was to be answered or vanish."""
        self.sizes: list[tuple[float, int]] = []
        """How large data was, each time that it changed."""

    @property
    def sender(self) -> Sender:
        """The flow's."""
        return self.flows[0].sender

    # What the prober has for DTLS

    def transmit(self, packets: Sequence[bytes]) -> None:
        """As data goes."""
        for packet in packets:
            self._leave(packet, whole=False)

    def transmit_whole(self, packet: bytes) -> bool:
        """In one piece."""
        if len(packet) + PACKET_OVERHEAD > self.path.interface:
            return False
        self._leave(packet, whole=True)
        return True

    def _leave(self, packet: bytes, *, whole: bool) -> None:
        self.probes.append((self.now, len(packet) - 16, whole))
        may = self.path.is_fragmented
        self.path.is_fragmented = may and not whole
        self.forward.send(self.now, (0, packet), len(packet) + PACKET_OVERHEAD)
        self.path.is_fragmented = may

    # The other end

    def answer(self, now: float, index: int, beat: bytes) -> None:
        """A heartbeat has arrived."""
        self.back.send(now, (index, bytes((HEARTBEAT + 1, 0, 0, 16)) + beat[4:16]), ANSWER_SIZE)

    def hear(self, now: float, body: bytes) -> None:
        """An answer has arrived."""
        self.prober.answered(body, self.sender, now)

    def _send(self, index: int, flow: Flow) -> None:
        self.prober.look(flow.sender, self.now)
        super()._send(index, flow)
        if not self.sizes or self.sizes[-1][1] != flow.sender.payload:
            self.sizes.append((self.now, flow.sender.payload))
