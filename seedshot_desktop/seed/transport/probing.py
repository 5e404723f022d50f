"""Carries out what ``path_mtu`` decides: heartbeats on the path in use, and the size of the sender's chunks."""

from __future__ import annotations

from collections.abc import Callable

from seedshot_desktop.seed.transport.datagrams import Path
from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD
from seedshot_desktop.seed.transport.path_mtu import PathMtu
from seedshot_desktop.seed.transport.sender import Sender


class Prober:
    """One association's; it has no timer of its own, as nothing is probed for unless data flows."""

    def __init__(self, dtls: Dtls, packet: Callable[[bytes], bytes]) -> None:
        """`packet` puts the common header before chunks."""
        self._dtls = dtls
        self._packet = packet
        self._path: Path | None = None
        self._mtu = PathMtu(0, probes=False)
        self._due = 0.0

    def look(self, sender: Sender, now: float) -> None:
        """Whatever is to be done at `now`; called before each burst, and mostly there is nothing."""
        path = self._dtls.path
        if path is None or (
            path is self._path and now < self._due and not sender.large_losses.alarm and not path.narrowed
        ):
            return
        if path is not self._path:
            self._follow(path)
        if path.narrowed:
            path.narrowed = False
            self._mtu.narrowed()
        if sender.large_losses.alarm:
            sender.large_losses.alarm = False
            self._forget_doubts(sender)
            self._mtu.suspect()
        self._send(path, sender, now)
        sender.payload = self._mtu.payload
        self._due = self._mtu.due

    def _follow(self, path: Path) -> None:
        """The path is another one: what was learnt is of the old one."""
        before = self._mtu
        self._path = path
        self._mtu = PathMtu(path.ip_header, probes=path.can_probe)
        self._mtu.follows(before.largest)
        if before.largest > BASE_PAYLOAD:
            path.widened()

    def _send(self, path: Path, sender: Sender, now: float) -> None:
        while (
            probe := self._mtu.poll(
                now, acknowledged=sender.acknowledged, waiting=sender.buffered, patience_s=sender.timeout_s
            )
        ) is not None:
            packet = self._packet(probe.chunks)
            if not probe.whole:
                self._dtls.transmit([packet])
            elif not self._dtls.transmit_whole(packet):
                self._mtu.refused(now, probe)
                continue
            sender.count_probe(len(probe.chunks), now)

    def answered(self, body: bytes, sender: Sender, now: float) -> None:
        """A HEARTBEAT ACK has come."""
        self._forget_doubts(sender)
        if self._mtu.answered(body) and self._path is not None:
            self._fall_back(self._path, sender, now)
        elif self._path is not None and self._mtu.payload > sender.payload:
            self._path.widened()
        sender.payload = self._mtu.payload
        self._due = self._mtu.due

    def _forget_doubts(self, sender: Sender) -> None:
        """Heartbeats that came back in an earlier suspicion say nothing in the next."""
        if sender.large_losses.passed:
            sender.large_losses.passed = False
            self._mtu.trust()

    def _fall_back(self, path: Path, sender: Sender, now: float) -> None:
        """Large packets vanish. What has been cut cannot be cut again, and passes in fragments or not at all."""
        if path.can_fragment:
            sender.retry_large(now)
        else:
            sender.give_up()
