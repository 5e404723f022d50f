"""A desk with fake connections, for tests of what it does with viewers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from seedshot_desktop.seed import link
from seedshot_desktop.seed.desk import Desk
from seedshot_desktop.seed.files import open_files
from seedshot_desktop.seed.messages import EngineStatus, Event, Keys, Limits, MemoryFile, ServerState
from seedshot_desktop.seed.reports import Reports
from seedshot_desktop.seed.share import Share
from seedshot_desktop.seed.tasks import Tasks
from signal_server.protocol import Offer, OwnerMessage
from tests.support.fake_peer import FakeNetwork, FakePeer

DATA = bytes(range(256)) * 4096  # 1 MiB


class Room:
    """A desk with one share."""

    def __init__(self) -> None:
        self.now = 100.0
        self.events: list[Event] = []
        self.signalled: list[OwnerMessage] = []
        self.network = FakeNetwork()
        self.tasks = Tasks()
        self.pool = ThreadPoolExecutor(1)
        self.used_up: list[Share] = []
        status = EngineStatus(ServerState.ONLINE, "", "", ())
        self.reports = Reports(self.events.append, lambda: status)
        self.desk = Desk(
            tasks=self.tasks,
            reports=self.reports,
            pool=self.pool,
            clock=lambda: self.now,
            signal=self.signalled.append,
            used_up=self.used_up.append,
            make_peer=self.network,
        )
        self.share = self.add_share(Limits())

    def add_share(self, limits: Limits, data: bytes = DATA) -> Share:
        keys = link.mint()
        wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        share = Share(wire, label="x", limits=limits, created_at=0.0, now=self.now)
        share.files = open_files((MemoryFile("a.png", "image/png", data),), share.version_key)
        self.desk.open(share)
        return share

    def offer(self, viewer: str, share: Share | None = None, sdp: str = "offer") -> FakePeer | None:
        """A viewer asks; its connection, None when there is none."""
        before = len(self.network.peers)
        self.desk.on_offer(Offer((share or self.share).id, viewer, sdp))
        return self.network.peers[-1] if len(self.network.peers) > before else None

    def admit(self, viewer: str, share: Share | None = None) -> FakePeer:
        """A viewer asks, connects and says hello."""
        peer = self.offer(viewer, share)
        assert peer is not None
        peer.open()
        peer.hello()
        return peer

    def all(self, kind: type[Any]) -> list[Any]:
        self.reports.flush()
        return [event for event in self.events if isinstance(event, kind)]
