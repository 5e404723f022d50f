"""Rooms under any order of events: one owner an id, nothing crosses shares, nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from signal_server.limits import Limits, Rate
from signal_server.members import Action, Close, Send
from signal_server.protocol import (
    Answer,
    AnyMessage,
    EndedReason,
    Expired,
    Full,
    Joined,
    Left,
    NoRoom,
    Offer,
    Offline,
    Online,
    Over,
    OwnerAnswer,
    OwnerCandidate,
    Refused,
    Revoked,
    Seed,
    Seeding,
    Unknown,
    Unseed,
    View,
    ViewerCandidate,
    encode,
    encode_base64url,
    id_of_token,
)
from signal_server.rooms import Rooms

TOKENS = [encode_base64url(bytes([number]) * 16) for number in range(3)]
IDS = [id_of_token(token) for token in TOKENS]
LIMITS = Limits(
    viewers_per_share=2,
    shares_per_owner=2,
    shares=2,
    tombstones=2,
    tombstone_s=50,
    offline_s=30,
    offline_shares=1,
    owner_messages=Rate(per_s=1, burst=40),
    viewer_messages=Rate(per_s=1, burst=40),
    views=Rate(per_s=1, burst=20),
    faults=Rate(per_s=0.1, burst=5),
    views_per_address=Rate(per_s=1, burst=20),
    knocking_per_owner=2,
    knocking_per_address=2,
    knock_s=20,
)
shares = st.sampled_from(range(len(IDS)))
sockets = st.integers(1, 6)


class AnyOrder(RuleBasedStateMachine):
    """Sockets 1 to 6 do anything at any time; the model knows only what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = Rooms(LIMITS)
        self.now = 0.0
        self.open: set[int] = set()
        self.owner: dict[str, int] = {}
        self.looking: dict[int, str] = {}
        """What a viewer's last view named."""
        self.name: dict[tuple[str, str], int] = {}
        """Who hides behind (id, viewer)."""
        self.asking = 0
        """The viewer whose view is being handled."""

    # What may happen

    @rule(socket=sockets, share=shares)
    def seed(self, socket: int, share: int) -> None:
        self.say(socket, Seed(TOKENS[share]))

    @rule(socket=sockets, share=shares, reason=st.sampled_from(EndedReason))
    def unseed(self, socket: int, share: int, reason: EndedReason) -> None:
        owned = self.owner.get(IDS[share]) == socket and socket in self.open
        actions = self.say(socket, Unseed(IDS[share], reason))
        if owned and any(
            isinstance(action, Send) and isinstance(action.message, Revoked | Expired) for action in actions
        ):
            assert IDS[share] not in self.owner

    @rule(socket=sockets, share=shares)
    def view(self, socket: int, share: int) -> None:
        self.asking = socket
        self.say(socket, View(IDS[share], f"offer {socket}"))

    @rule(socket=sockets)
    def trickle(self, socket: int) -> None:
        self.say(socket, ViewerCandidate(f"from {socket}"))

    @precondition(lambda self: self.name)
    @rule(
        data=st.data(), socket=sockets, kind=st.sampled_from((OwnerAnswer, OwnerCandidate, Full, Joined, Refused, Over))
    )
    def reply(self, data: st.DataObject, socket: int, kind: type) -> None:
        """To any viewer ever named, from any socket: only its present owner gets through."""
        id, viewer = data.draw(st.sampled_from(sorted(self.name)))
        words = f"{id} to {self.name[id, viewer]} by {socket}"
        self.say(socket, kind(id, viewer, words) if kind in (OwnerAnswer, OwnerCandidate) else kind(id, viewer))

    @rule(socket=sockets, said=st.sampled_from(("", "[]", b"\x00", '{"type":"seed"}')))
    def babble(self, socket: int, said: str | bytes) -> None:
        self.say(socket, said)

    @rule(socket=sockets)
    def leave(self, socket: int) -> None:
        self.lose(socket)
        self.hear(self.rooms.disconnect(socket, self.now))

    @rule(seconds=st.sampled_from((0.5, 5.0, 31.0, 51.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.hear(self.rooms.tick(self.now))

    # What must hold

    def say(self, socket: int, said: AnyMessage | str | bytes) -> list[Action]:
        if socket not in self.open:
            self.open.add(socket)
            self.rooms.connect(socket, f"address {socket % 2}", self.now)
        actions = self.rooms.receive(socket, said if isinstance(said, str | bytes) else encode(said), self.now)
        if isinstance(said, Unseed) and self.owner.get(said.id) == socket and not self.is_error(actions, socket):
            del self.owner[said.id]
        if isinstance(said, View) and not self.is_error(actions, socket):
            self.looking[socket] = said.id
        self.hear(actions)
        return actions

    def is_error(self, actions: Iterable[Action], socket: int) -> bool:
        return any(
            isinstance(action, Close)
            or (action.socket == socket and encode(action.message).startswith('{"type":"error"'))
            for action in actions
        )

    def lose(self, socket: int) -> None:
        self.open.discard(socket)
        self.looking.pop(socket, None)
        self.owner = {id: owner for id, owner in self.owner.items() if owner != socket}

    def hear(self, actions: Iterable[Action]) -> None:
        for action in actions:
            assert action.socket in self.open, "nothing is said to a socket that is gone"
            if isinstance(action, Close):
                self.lose(action.socket)
            else:
                self.check(action)

    def check(self, action: Send) -> None:
        socket = action.socket
        match action.message:
            case Seeding(id=id):
                self.owner[id] = socket
            case Offer(id=id, viewer=viewer, sdp=sdp):
                assert self.owner[id] == socket
                assert sdp == f"offer {self.asking}"
                assert self.looking[self.asking] == id
                assert (id, viewer) not in self.name, "a name is never given twice"
                self.name[id, viewer] = self.asking
            case Left(id=id, viewer=viewer):
                assert self.owner[id] == socket
                assert (id, viewer) in self.name
            case OwnerCandidate(id=id, viewer=viewer, candidate=words):
                assert self.owner[id] == socket
                assert words == f"from {self.name[id, viewer]}"
                assert self.looking[self.name[id, viewer]] == id
            case Answer(sdp=words) | ViewerCandidate(candidate=str() as words):
                id = self.looking[socket]
                assert words == f"{id} to {socket} by {self.owner[id]}"
            case Offline() | Unknown() | Online() | Revoked() | Expired() | NoRoom():
                assert socket in self.looking, "states are for viewers"

    @invariant()
    def counts_agree(self) -> None:
        counts = self.rooms.counts()
        assert counts.sockets == len(self.open)
        assert counts.shares == len(self.owner) <= LIMITS.shares
        assert counts.owners + counts.viewers <= counts.sockets
        assert counts.paired <= LIMITS.viewers_per_share * (counts.shares + counts.offline + len(IDS))
        assert counts.tombstones <= LIMITS.tombstones
        assert counts.offline <= min(LIMITS.offline_shares, len(IDS) - counts.shares)

    def teardown(self) -> None:
        for socket in sorted(self.open):
            self.leave(socket)
        self.wait(max(LIMITS.tombstone_s, LIMITS.offline_s))
        assert self.rooms.is_empty


AnyOrder.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestAnyOrder = AnyOrder.TestCase
