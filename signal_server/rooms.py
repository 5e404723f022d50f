"""Who seeds what and who looks at it: pairs, forwards, forgets. Sans-I/O; time is an argument.

A socket is an opaque integer that the shell chose. `connect`, `receive`,
`disconnect`, `tick` and `drain` return what is to be done, in order: `Send` a
message, or `Close` a socket (which is forgotten here already).

A share is *seeded* while an owner's socket carries it, *offline* for a while
after that socket was lost, and *unknown* otherwise; after ``unseed`` it leaves a
tombstone. Viewers are *paired* (their offer went to the owner, under a name
minted here) or *waiting* (told offline, unknown or full, and nudged with
``online``). A pair outlives the owner's socket, because the transfer between
them does: the owner who comes back still hears when that viewer leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from signal_server.limits import Bucket, Limits
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
    Left,
    NoRoom,
    Offer,
    Offline,
    Online,
    OwnerAnswer,
    OwnerCandidate,
    ProtocolError,
    Revoked,
    Seed,
    Seeding,
    ServerMessage,
    Unknown,
    Unseed,
    View,
    ViewerCandidate,
    decode_from_client,
)

_OWNER_MESSAGES = (Seed, Unseed, Full, OwnerAnswer, OwnerCandidate)
_FAULTS = {ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE, ErrorCode.WRONG_ROLE, ErrorCode.TOO_FAST}
"""What honest clients never earn; the other errors are races or quotas that an honest owner may run into."""


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
        self._seeded = 0

    # What the shell calls

    def connect(self, socket: Socket, now: float) -> None:
        """A WebSocket has opened."""
        limits = self._limits
        self._clients[socket] = Client(socket, Bucket(limits.viewer_messages, now), Bucket(limits.faults, now))
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
        return not (self._clients or self._silent or self._shares or self._queues or self._offline or self._tombstones)

    # What comes in

    def _decode(self, client: Client, data: str | bytes, now: float) -> ClientMessage:
        if not client.messages.take(now):
            raise ProtocolError(ErrorCode.TOO_FAST, "too many messages; slow down")
        if isinstance(data, bytes):
            raise ProtocolError(ErrorCode.MALFORMED, "the message is not a text frame")
        return decode_from_client(data)

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
        return [*actions, Send(client.socket, Seeding(id)), *self._nudge_all(share)]

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
            return [_error(before, ErrorCode.NOT_YOURS, "a newer connection answers for that share", share.id)]
        return []

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
        return [Send(viewer.socket, _ended(reason)) for viewer in watchers]

    def _from_owner(self, share: Share, message: Full | OwnerAnswer | OwnerCandidate, now: float) -> list[Action]:
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

    def _lose_owner(self, share: Share, now: float) -> list[Action]:
        """The owner's socket is gone: pairs stay, all are told `offline` and will be nudged."""
        share.owner = None
        self._seeded -= 1
        self._queues.pop(share.id, None)
        self._offline[share.id] = now
        for viewer in share.watchers():
            share.waiting[viewer.socket] = viewer
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
        if len(share.paired) >= self._limits.viewers_per_share:
            return [*actions, *self._wait(share, client, NoRoom(), now)]
        return [*actions, self._pair(share, share.owner, client, message.offer)]

    def _pair(self, share: Share, owner: Client, viewer: Client, offer: str) -> Action:
        name = self._mint()
        while name in share.paired:
            name = self._mint()
        viewer.name = name
        share.paired[name] = viewer
        return Send(owner.socket, Offer(share.id, name, offer))

    def _wait(self, share: Share, viewer: Client, why: ServerMessage, now: float) -> list[Action]:
        share.waiting[viewer.socket] = viewer
        if share.owner is not None:
            self._queues.setdefault(share.id, now + self._limits.room_retry_s)
        return [Send(viewer.socket, why)]

    def _from_viewer(self, client: Client, message: ViewerCandidate) -> list[Action]:
        """Candidates of a viewer without a pair are late, not wrong: its share may just have ended."""
        share = self._shares.get(client.share) if client.share is not None else None
        if share is None or share.owner is None or client.name is None:
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
        self._tidy(share)
        return actions

    def _unpair(self, share: Share, viewer: Client) -> str:
        name = viewer.name
        assert name is not None
        del share.paired[name]
        viewer.name = None
        return name

    def _nudge_all(self, share: Share) -> list[Action]:
        """The owner is there: everyone who waits may send their view again."""
        sockets = list(share.waiting)
        share.waiting.clear()
        self._queues.pop(share.id, None)
        return [Send(socket, Online()) for socket in sockets]

    def _nudge_one(self, share: Share) -> list[Action]:
        """There may be room: who has waited longest may send their view again."""
        if not share.waiting or len(share.paired) >= self._limits.viewers_per_share:
            return []
        socket = next(iter(share.waiting))
        del share.waiting[socket]
        self._tidy(share)
        return [Send(socket, Online())]

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
        while self._offline and now - next(iter(self._offline.values())) >= self._limits.offline_s:
            self._forget_offline(next(iter(self._offline)))

    def _drop(self, socket: Socket, code: int, reason: str, now: float) -> list[Action]:
        return [Close(socket, code, reason), *self.disconnect(socket, now)]


def _error(client: Client, code: ErrorCode, detail: str, id: str | None = None) -> Send:
    return Send(client.socket, Error(code, detail, id))


def _ended(reason: EndedReason) -> Revoked | Expired:
    return Expired() if reason is EndedReason.EXPIRED else Revoked()
