"""Who seeds what and who looks at it: pairs, forwards, forgets. Sans-I/O; time is an argument.

A socket is an opaque integer that the shell chose. `connect`, `receive`,
`disconnect`, `tick` and `drain` return what is to be done, in order: `Send` a
message, or `Close` a socket (which is forgotten here already).

A share is *seeded* while an owner's socket carries it, *offline* for a while
after that socket was lost, and *unknown* otherwise; after ``unseed`` it leaves a
tombstone. Viewers are *paired* (their offer went to the owner, under a name
minted here) or *waiting* (told offline, unknown or full, and nudged with
``online``), or *idle*: their visit is over. A pair *knocks* until the owner has
let the viewer in. One that was let in outlives the owner's socket, because the
transfer between them does: the owner who comes back still hears when that
viewer leaves. One that knocks does not, and is nudged instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import islice

from signal_server.knocks import Knocks
from signal_server.limits import Bucket, Buckets, Limits
from signal_server.members import Action, Client, Close, Counts, Send, Share, Socket
from signal_server.protocol import (
    Answer,
    ClientMessage,
    CloseCode,
    Draining,
    EndedReason,
    Error,
    ErrorCode,
    Expired,
    Full,
    Joined,
    Left,
    NoRoom,
    NotLetIn,
    Offer,
    Offline,
    Online,
    Over,
    OwnerAnswer,
    OwnerCandidate,
    ProtocolError,
    Refused,
    Revoked,
    Seed,
    Seeding,
    ServerMessage,
    Stopped,
    Unknown,
    Unseed,
    View,
    ViewerCandidate,
    decode_from_client,
)

_OWNER_MESSAGES = (Seed, Unseed, Full, Joined, Refused, Over, OwnerAnswer, OwnerCandidate)
_FAULTS = {ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE, ErrorCode.WRONG_ROLE, ErrorCode.TOO_FAST}
"""What honest clients never earn; the other errors are races or quotas that an honest owner may run into."""
_MOST_ASKED = 64
"""Who waits behind so many who may not knock is asked later."""
_MOST_REPLIES = 64
"""Offers for which an owner's replies are saved up."""


def mint_viewer_name() -> str:
    """A name for one visit; it says nothing about the viewer."""
    return secrets.token_urlsafe(9)


class Rooms:
    """All owners, viewers and shares of one server instance."""

    def __init__(self, limits: Limits, *, mint: Callable[[], str] = mint_viewer_name) -> None:
        """`mint` makes viewers' names; tests give one whose names can be told."""
        self._limits = limits
        self._mint = mint
        self._clients: dict[Socket, Client] = {}
        self._silent: dict[Socket, float] = {}
        self._shares: dict[str, Share] = {}
        self._offline: dict[str, float] = {}
        self._tombstones: dict[str, tuple[EndedReason, float]] = {}
        self._queues: dict[str, float] = {}
        self._knocks = Knocks(limits)
        self._views = Buckets(limits.views_per_address, limits.remembered_addresses)
        self._seeded = 0
        self.stun: tuple[str, ...] = ()
        """STUN servers that owners are told of."""

    # What the shell calls

    def connect(self, socket: Socket, address: str, now: float) -> None:
        """A WebSocket has opened, from `address` (see `gate.quota_key`)."""
        limits = self._limits
        self._clients[socket] = Client(socket, address, Bucket(limits.viewer_messages, now), Bucket(limits.faults, now))
        self._silent[socket] = now

    def receive(self, socket: Socket, data: str | bytes, now: float) -> list[Action]:
        """A socket has said something; whatever it is, nothing is raised."""
        client = self._clients.get(socket)
        if client is None:
            return []
        self._expire(now)
        try:
            return self._handle(client, self._decode(client, data, now), now)
        except ProtocolError as error:
            return self._refuse(client, error, now)

    def disconnect(self, socket: Socket, now: float) -> list[Action]:
        """A socket is gone, however it went."""
        client = self._clients.pop(socket, None)
        self._silent.pop(socket, None)
        if client is None:
            return []
        actions: list[Action] = []
        for share in [self._shares[id] for id in sorted(client.shares)]:
            actions += self._lose_owner(share, now)
        return actions + self._stop_looking(client)

    def tick(self, now: float) -> list[Action]:
        """Time has passed; to be called about once a second."""
        self._expire(now)
        actions: list[Action] = []
        while self._silent and now - next(iter(self._silent.values())) >= self._limits.first_message_s:
            actions += self._drop(next(iter(self._silent)), CloseCode.GOING_AWAY, "no message came", now)
        while (overdue := self._knocks.overdue(now)) is not None:
            actions += self._give_up(self._clients[overdue])
        for id in [id for id, due in self._queues.items() if due <= now]:
            self._queues[id] = now + self._limits.room_retry_s
            actions += self._nudge_one(self._shares[id])
        return actions

    def drain(self) -> list[Action]:
        """This instance goes away: everyone is told to connect again."""
        return [Send(socket, Draining()) for socket in self._clients]

    def counts(self) -> Counts:
        """How much of everything there is."""
        roles = [client.owner for client in self._clients.values()]
        return Counts(
            sockets=len(roles),
            owners=roles.count(True),
            viewers=roles.count(False),
            shares=self._seeded,
            paired=sum(len(share.paired) for share in self._shares.values()),
            waiting=sum(len(share.waiting) for share in self._shares.values()),
            offline=len(self._offline),
            tombstones=len(self._tombstones),
        )

    @property
    def is_empty(self) -> bool:
        """Nothing at all is remembered."""
        kept = (self._clients, self._silent, self._shares, self._queues, self._offline, self._tombstones)
        return not any(kept) and not self._knocks and not self._views

    # What comes in

    def _decode(self, client: Client, data: str | bytes, now: float) -> ClientMessage:
        if not client.messages.take(now) and not self._is_reply(client):
            raise ProtocolError(ErrorCode.TOO_FAST, "too many messages; slow down")
        if isinstance(data, bytes):
            raise ProtocolError(ErrorCode.MALFORMED, "the message is not a text frame")
        return decode_from_client(data)

    def _is_reply(self, client: Client) -> bool:
        """Strangers make an owner speak: what it says for their sake is not held against it."""
        if not client.replies:
            return False
        client.replies -= 1
        return True

    def _handle(self, client: Client, message: ClientMessage, now: float) -> list[Action]:
        self._take_role(client, isinstance(message, _OWNER_MESSAGES), now)
        match message:
            case Seed():
                return self._seed(client, message.id)
            case View():
                return self._view(client, message, now)
            case ViewerCandidate():
                return self._from_viewer(client, message)
            case _:
                share = self._shares.get(message.id)
                if share is None or share.owner is not client:
                    return [_error(client, ErrorCode.NOT_YOURS, "that share is not seeded on this socket", message.id)]
                if isinstance(message, Unseed):
                    return self._unseed(share, message.reason, now)
                return self._from_owner(share, message, now)

    def _take_role(self, client: Client, owner: bool, now: float) -> None:
        if client.owner is None:
            client.owner = owner
            self._silent.pop(client.socket, None)
            if owner:
                client.messages = Bucket(self._limits.owner_messages, now)
            else:
                client.views = Bucket(self._limits.views, now)
        elif client.owner is not owner:
            raise ProtocolError(ErrorCode.WRONG_ROLE, "this socket speaks for the other side")

    def _refuse(self, client: Client, error: ProtocolError, now: float) -> list[Action]:
        if error.code in _FAULTS and not client.faults.take(now):
            return self._drop(client.socket, CloseCode.POLICY, "too many errors", now)
        return [_error(client, error.code, error.detail)]

    # Owners

    def _seed(self, client: Client, id: str) -> list[Action]:
        share = self._shares.get(id)
        if id in self._tombstones:
            return [_error(client, ErrorCode.REVOKED, "that share was ended; make a new one", id)]
        if id not in client.shares and self._has_enough(client, share):
            return [_error(client, ErrorCode.TOO_MANY_SHARES, "no more shares are taken", id)]
        share = share or self._remember(id)
        actions = self._give_to(client, share)
        return [*actions, Send(client.socket, Seeding(id, self.stun)), *self._nudge_all(share)]

    def _has_enough(self, client: Client, share: Share | None) -> bool:
        taken_over = share is not None and share.owner is not None
        return len(client.shares) >= self._limits.shares_per_owner or (
            not taken_over and self._seeded >= self._limits.shares
        )

    def _give_to(self, client: Client, share: Share) -> list[Action]:
        """The newest socket that shows the token answers for the share; an older one hears that it no longer does."""
        before, share.owner = share.owner, client
        client.shares.add(share.id)
        self._offline.pop(share.id, None)
        if before is None:
            self._seeded += 1
        elif before is not client:
            before.shares.discard(share.id)
            told = _error(before, ErrorCode.NOT_YOURS, "a newer connection answers for that share", share.id)
            return [told, *self._forsake(share)]
        return []

    def _forsake(self, share: Share) -> list[Action]:
        """Offers went to a socket that answers no longer: who knocked there waits, and will be nudged."""
        knocking = [viewer for viewer in share.paired.values() if viewer.socket in self._knocks]
        for viewer in knocking:
            self._unpair(share, viewer)
            share.waiting[viewer.socket] = share.idle.pop(viewer.socket)
        return [Send(viewer.socket, Offline()) for viewer in knocking]

    def _unseed(self, share: Share, reason: EndedReason, now: float) -> list[Action]:
        """The share is over: everyone is told, and it leaves a tombstone."""
        assert share.owner is not None
        share.owner.shares.discard(share.id)
        self._seeded -= 1
        del self._shares[share.id]
        self._queues.pop(share.id, None)
        self._tombstones[share.id] = (reason, now)
        if len(self._tombstones) > self._limits.tombstones:
            del self._tombstones[next(iter(self._tombstones))]
        watchers = share.watchers()
        for viewer in watchers:
            viewer.share = viewer.name = None
            self._knocks.remove(viewer.socket)
        return [Send(viewer.socket, _ended(reason)) for viewer in watchers]

    def _from_owner(
        self, share: Share, message: Full | Joined | Refused | Over | OwnerAnswer | OwnerCandidate, now: float
    ) -> list[Action]:
        viewer = share.paired.get(message.viewer)
        if viewer is None:
            assert share.owner is not None
            return [_error(share.owner, ErrorCode.NO_SUCH_VIEWER, "that viewer has left", share.id)]
        match message:
            case OwnerAnswer():
                return [Send(viewer.socket, Answer(message.sdp))]
            case OwnerCandidate():
                return [Send(viewer.socket, ViewerCandidate(message.candidate))]
            case Full():
                self._unpair(share, viewer)
                return self._wait(share, viewer, NoRoom(), now)
            case Joined():
                self._knocks.remove(viewer.socket)
            case Refused():
                self._unpair(share, viewer)
                return [Send(viewer.socket, NotLetIn()), *self._nudge_one(share)]
            case Over():
                self._unpair(share, viewer)
        return self._nudge_one(share)

    def _lose_owner(self, share: Share, now: float) -> list[Action]:
        """The owner's socket is gone: who was let in stays paired, all are told `offline` and will be nudged."""
        share.owner = None
        self._seeded -= 1
        self._queues.pop(share.id, None)
        self._offline[share.id] = now
        self._forsake(share)
        for viewer in share.watchers():
            share.waiting[viewer.socket] = viewer
        share.idle.clear()
        if len(self._offline) > self._limits.offline_shares:
            self._forget_offline(next(iter(self._offline)))
        return [Send(socket, Offline()) for socket in share.waiting]

    # Viewers

    def _view(self, client: Client, message: View, now: float) -> list[Action]:
        assert client.views is not None
        if not client.views.take(now):
            raise ProtocolError(ErrorCode.TOO_FAST, "too many views; slow down")
        actions = self._stop_looking(client)
        if message.id in self._tombstones:
            return [*actions, Send(client.socket, _ended(self._tombstones[message.id][0]))]
        share = self._shares.get(message.id) or self._remember(message.id)
        client.share = share.id
        if share.owner is None:
            return [*actions, *self._wait(share, client, Offline() if share.id in self._offline else Unknown(), now)]
        if not self._may_knock(share, share.owner, client, now):
            return [*actions, *self._wait(share, client, NoRoom(), now)]
        actions += self._make_place(share.owner, now)
        return [*actions, self._pair(share, share.owner, client, message.offer, now)]

    def _may_knock(self, share: Share, owner: Client, viewer: Client, now: float) -> bool:
        """Is there a place for `viewer`, and has its address not had too many lately? Only what is passed on counts."""
        return (
            len(share.paired) < self._limits.viewers_per_share
            and self._knocks.has_room(owner.socket, viewer.address)
            and self._views.take((viewer.address, share.id), now)
        )

    def _make_place(self, owner: Client, now: float) -> list[Action]:
        """Who knocks from a crowded address waits, where there is no other place."""
        socket = self._knocks.in_the_way(owner.socket)
        if socket is None:
            return []
        viewer = self._clients[socket]
        assert viewer.share is not None
        return [*self._give_up(viewer), *self._wait(self._shares[viewer.share], viewer, NoRoom(), now)]

    def _give_up(self, viewer: Client) -> list[Action]:
        """It knocks no longer, and the owner need not answer it."""
        assert viewer.share is not None
        share = self._shares[viewer.share]
        assert share.owner is not None
        return [Send(share.owner.socket, Left(share.id, self._unpair(share, viewer)))]

    def _pair(self, share: Share, owner: Client, viewer: Client, offer: str, now: float) -> Action:
        name = self._mint()
        while name in share.paired:
            name = self._mint()
        viewer.name, viewer.candidates = name, 0
        share.paired[name] = viewer
        self._knocks.add(owner.socket, viewer.socket, viewer.address, now)
        replies = self._limits.replies_per_view
        owner.replies = min(owner.replies + replies, _MOST_REPLIES * replies)
        return Send(owner.socket, Offer(share.id, name, offer))

    def _wait(self, share: Share, viewer: Client, why: ServerMessage, now: float) -> list[Action]:
        share.idle.pop(viewer.socket, None)
        share.waiting[viewer.socket] = viewer
        if share.owner is not None:
            self._queues.setdefault(share.id, now + self._limits.room_retry_s)
        return [Send(viewer.socket, why)]

    def _from_viewer(self, client: Client, message: ViewerCandidate) -> list[Action]:
        """Candidates of a viewer without a pair are late, not wrong: its share may just have ended."""
        share = self._shares.get(client.share) if client.share is not None else None
        if share is None or share.owner is None or client.name is None:
            return []
        client.candidates += 1
        if client.candidates > self._limits.candidates_per_view:
            return []
        return [Send(share.owner.socket, OwnerCandidate(share.id, client.name, message.candidate))]

    def _stop_looking(self, client: Client) -> list[Action]:
        """The viewer's socket closed or asks anew: the owner is told, and who waits gets the place."""
        share = self._shares.get(client.share) if client.share is not None else None
        client.share = None
        if share is None:
            return []
        share.waiting.pop(client.socket, None)
        actions: list[Action] = []
        if client.name is not None:
            name = self._unpair(share, client)
            if share.owner is not None:
                actions = [Send(share.owner.socket, Left(share.id, name)), *self._nudge_one(share)]
        share.idle.pop(client.socket, None)
        self._tidy(share)
        return actions

    def _unpair(self, share: Share, viewer: Client) -> str:
        name = viewer.name
        assert name is not None
        del share.paired[name]
        viewer.name = None
        self._knocks.remove(viewer.socket)
        share.idle[viewer.socket] = viewer
        return name

    def _nudge_all(self, share: Share) -> list[Action]:
        """The owner is there: everyone who waits may send their view again."""
        self._queues.pop(share.id, None)
        return [action for viewer in list(share.waiting.values()) for action in self._nudge(share, viewer)]

    def _nudge_one(self, share: Share) -> list[Action]:
        """There may be room: who has waited longest, and may knock, may send their view again."""
        if share.owner is None or len(share.paired) >= self._limits.viewers_per_share:
            return []
        for viewer in islice(share.waiting.values(), _MOST_ASKED):
            if self._knocks.has_room(share.owner.socket, viewer.address):
                return self._nudge(share, viewer)
        return []

    def _nudge(self, share: Share, viewer: Client) -> list[Action]:
        del share.waiting[viewer.socket]
        if viewer.name is None:
            share.idle[viewer.socket] = viewer
        self._tidy(share)
        return [Send(viewer.socket, Online())]

    # Memory

    def _remember(self, id: str) -> Share:
        share = self._shares[id] = Share(id)
        return share

    def _tidy(self, share: Share) -> None:
        """Forget an id that means nothing to anyone any more."""
        if not share.waiting:
            self._queues.pop(share.id, None)
        if share.owner is None and not share.paired and not share.waiting and share.id not in self._offline:
            self._shares.pop(share.id, None)

    def _forget_offline(self, id: str) -> None:
        del self._offline[id]
        self._tidy(self._shares[id])

    def _expire(self, now: float) -> None:
        """Tombstones and offline shares are in order of age, so only the first ones need a look."""
        while self._tombstones and now - next(iter(self._tombstones.values()))[1] >= self._limits.tombstone_s:
            del self._tombstones[next(iter(self._tombstones))]
        self._views.forget_full(now)
        while self._offline and now - next(iter(self._offline.values())) >= self._limits.offline_s:
            self._forget_offline(next(iter(self._offline)))

    def _drop(self, socket: Socket, code: int, reason: str, now: float) -> list[Action]:
        return [Close(socket, code, reason), *self.disconnect(socket, now)]


def _error(client: Client, code: ErrorCode, detail: str, id: str | None = None) -> Send:
    return Send(client.socket, Error(code, detail, id))


def _ended(reason: EndedReason) -> Revoked | Expired | Stopped:
    match reason:
        case EndedReason.REVOKED:
            return Revoked()
        case EndedReason.EXPIRED:
            return Expired()
        case EndedReason.STOPPED:
            return Stopped()
