"""The front desk: from a viewer's offer to its visit, and from its visit to the share's books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any

from seedshot_desktop.seed import visit as visits
from seedshot_desktop.seed.files import Reader
from seedshot_desktop.seed.messages import (
    EndReason,
    EngineOptions,
    FileFailed,
    Viewed,
    ViewerJoined,
    ViewerLeft,
)
from seedshot_desktop.seed.reports import Reports
from seedshot_desktop.seed.session import State
from seedshot_desktop.seed.share import Share
from seedshot_desktop.seed.steps import Admitted, FileBroke, ShareOver, SocketLeft, TurnedAway
from seedshot_desktop.seed.tasks import Tasks
from seedshot_desktop.seed.transfer import FailReason
from seedshot_desktop.seed.transport import IceOptions, Peer, RateLimit
from seedshot_desktop.seed.visit import Visit
from signal_server.protocol import Full, Joined, Left, Offer, Over, OwnerAnswer, OwnerCandidate, OwnerMessage, Refused

MAX_HALF_OPEN = 128
"""Viewers in all who have not connected yet."""
MAX_HALF_OPEN_PER_SHARE = 64
PATIENCE_S = 2.0
"""A half-open viewer older than this gives way to a newer one when there are too many."""


def connect_peer(share: Share, options: EngineOptions, callbacks: Visit) -> visits.Peer:
    """A real connection."""
    stun_urls = tuple(dict.fromkeys((*options.stun_urls, *share.stun_urls)))
    ice = IceOptions(stun_urls, options.turn_urls, options.turn_username, options.turn_password)
    return Peer(
        certificate=share.certificate, secret=share.secret, ice=ice, callbacks=callbacks, limits=callbacks.limits
    )


class Desk:
    """All visits of all shares; what a ``Visit`` calls its house."""

    def __init__(
        self,
        *,
        tasks: Tasks,
        reports: Reports,
        pool: Executor,
        clock: Callable[[], float],
        signal: Callable[[OwnerMessage], None],
        used_up: Callable[[Share], None],
        make_peer: Callable[[Share, EngineOptions, Visit], visits.Peer] = connect_peer,
    ) -> None:
        """`signal` says something to the signalling server; `used_up`: a share's last view is over, nobody is left.

        `make_peer` makes the connection of a visit; the fake of tests comes in here.
        """
        self._tasks = tasks
        self._reports = reports
        self._pool = pool
        self._clock = clock
        self._signal = signal
        self._used_up = used_up
        self._make_peer = make_peer
        self._shares: dict[str, Share] = {}
        self._visits: dict[Visit, None] = {}
        self._signalled: dict[tuple[str, str], Visit] = {}
        self._former: set[tuple[str, str]] = set()
        self._upload = RateLimit()
        self._share_uploads: dict[str, RateLimit] = {}
        self._counted: dict[Visit, int] = {}
        self._options = EngineOptions()

    # For the engine

    def configure(self, options: EngineOptions) -> None:
        """New options, from now on."""
        self._options = options
        self._upload.rate = options.upload_limit
        for limit in self._share_uploads.values():
            limit.rate = options.share_upload_limit

    def open(self, share: Share) -> None:
        """Viewers of that share are welcome."""
        self._shares[share.id] = share
        self._share_uploads[share.id] = RateLimit(self._options.share_upload_limit)

    def shut(self, share: Share) -> list[Visit]:
        """No more viewers for that share; returns those who are here, and who have to be told."""
        self._shares.pop(share.id, None)
        self._share_uploads.pop(share.id, None)
        return self.visits_of(share.id)

    def visits_of(self, share: str) -> list[Visit]:
        """Everyone who is there or at the door, in order of arrival."""
        return [visit for visit in self._visits if visit.share == share]

    def find(self, share: str, viewer: str) -> Visit | None:
        """That viewer's visit."""
        return next((visit for visit in self._visits if (visit.share, visit.viewer) == (share, viewer)), None)

    def forget_signalling(self) -> None:
        """The server's names of viewers mean nothing to another server."""
        self._signalled.clear()
        self._former.clear()

    def lose_signalling(self) -> None:
        """A server that comes back tells who has left by the old names, but a new one may give them to others."""
        self._former = set(self._signalled)

    # What the signalling server says

    def on_offer(self, offer: Offer) -> None:
        """A viewer asks: begin its visit, or say that there is no room."""
        share = self._shares.get(offer.id)
        name = (offer.id, offer.viewer)
        if share is None or (name in self._signalled and name not in self._former):
            return
        self._former.discard(name)
        if share.guests >= self._options.max_viewers or not self._make_room(share):
            self._signal(Full(offer.id, offer.viewer))
            return
        visit = Visit(
            viewer=self._name(offer),
            share=share.id,
            signalled_as=offer.viewer,
            house=self,
            limits=(self._share_uploads[share.id], self._upload),
        )
        self._visits[visit] = None
        self._signalled[offer.id, offer.viewer] = visit
        visit.begin(lambda callbacks: self._make_peer(share, self._options, callbacks), offer.sdp)

    def on_candidate(self, message: OwnerCandidate) -> None:
        """A candidate of a viewer; one of somebody unknown is late."""
        visit = self._signalled.get((message.id, message.viewer))
        if visit is not None:
            visit.add_candidate(message.candidate)

    def on_left(self, message: Left) -> None:
        """A viewer's socket closed; the connection of a guest may live, one that was not let in leaves its place."""
        visit = self._signalled.pop((message.id, message.viewer), None)
        if visit is not None and visit.session.half_open:
            visit.give_up()
        elif visit is not None:
            visit.receive(SocketLeft())

    def _make_room(self, share: Share) -> bool:
        """Whether one more may knock; under pressure the one who has hesitated longest gives way.

        First goes who has no path to us, then who has one.
        """
        everyone = [visit for visit in self._visits if visit.session.half_open]
        here = [visit for visit in everyone if visit.share == share.id]
        crowd = here if len(here) >= MAX_HALF_OPEN_PER_SHARE else everyone
        if len(here) < MAX_HALF_OPEN_PER_SHARE and len(everyone) < MAX_HALF_OPEN:
            return True
        late = self.now() - PATIENCE_S
        hesitant = [visit for visit in crowd if visit.session.state is State.CONNECTING and visit.began_at <= late]
        if not hesitant:
            return False
        self._send_away(min(hesitant, key=lambda visit: visit.direct is not None))
        return True

    def _send_away(self, visit: Visit) -> None:
        """Its page is told at once that there is no room, rather than left to wait for us."""
        if self._is_signalled(visit):
            del self._signalled[visit.share, visit.signalled_as]
            self._signal(Full(visit.share, visit.signalled_as))
        visit.give_up()

    def _name(self, offer: Offer) -> str:
        """The server's name for the viewer, made different where a visit from before its restart bears it."""
        name, number = offer.viewer, 1
        while self.find(offer.id, name) is not None:
            number += 1
            name = f"{offer.viewer}~{number}"
        return name

    # What visits ask and tell: visit.House

    def now(self) -> float:
        """visit.House"""
        return self._clock()

    def wall(self) -> float:
        """visit.House"""
        return time.time()

    def own(
        self, work: Coroutine[Any, Any, None], name: str, on_failure: Callable[[], None] | None = None
    ) -> asyncio.Task[None]:
        """visit.House"""
        return self._tasks.own(work, name, on_failure)

    def admit(self, visit: Visit) -> Admitted | TurnedAway:
        """visit.House"""
        share = self._shares.get(visit.share)
        if share is None:
            return TurnedAway("revoked")
        return share.admit(visit.viewer, max_viewers=self._options.max_viewers, now=self.now())

    def reader(self, visit: Visit, file: int) -> Reader:
        """visit.House"""
        files = self._shares[visit.share].files
        assert files is not None
        return files[file].content.reader(self._pool)

    def answered(self, visit: Visit, sdp: str) -> None:
        """visit.House"""
        if self._is_signalled(visit):
            self._signal(OwnerAnswer(visit.share, visit.signalled_as, sdp))

    def found_candidate(self, visit: Visit, candidate: str | None) -> None:
        """visit.House"""
        if self._is_signalled(visit):
            self._signal(OwnerCandidate(visit.share, visit.signalled_as, candidate))

    def admitted(self, visit: Visit) -> None:
        """visit.House"""
        if self._is_signalled(visit):
            self._signal(Joined(visit.share, visit.signalled_as))

    def joined(self, visit: Visit) -> None:
        """visit.House"""
        self._reports.say(ViewerJoined(visit.share, visit.viewer, visit.browser, visit.system, visit.direct))
        self._reports.touch()

    def progressed(self, visit: Visit) -> None:
        """visit.House"""
        delivered = visit.session.delivered
        share = self._shares.get(visit.share)
        if share is not None:
            share.bytes_sent += delivered - self._counted.get(visit, 0)
            self._counted[visit] = delivered
        self._reports.progressed(visit)

    def completed(self, visit: Visit) -> None:
        """visit.House"""
        share = self._shares.get(visit.share)
        if share is None or visit not in self._visits:
            return
        self._reports.tell_progress(visit)
        if not visit.session.counts:
            share.release(visit.viewer)
        elif share.note_complete(visit.viewer):
            self._reports.say(Viewed(visit.share, visit.viewer, share.views))
        else:
            visit.receive(ShareOver(EndReason.EXPIRED))

    def broke(self, visit: Visit, file: int, reason: FailReason) -> None:
        """visit.House"""
        share = self._shares.get(visit.share)
        if share is None or share.files is None:
            return
        broken = share.files[file]
        if not broken.problem:
            self._reports.say(FileFailed(share.id, broken.entry.name, broken.fail(reason)))
            self._reports.touch()
        for other in self.visits_of(share.id):
            other.receive(FileBroke(file, reason))

    def left(self, visit: Visit, reason: EndReason | None) -> None:
        """visit.House"""
        self._visits.pop(visit, None)
        self._counted.pop(visit, None)
        if self._is_signalled(visit):
            del self._signalled[visit.share, visit.signalled_as]
            if visit.share in self._shares:  # of the end of a share the server is told at once, for all viewers
                is_stranger = reason is EndReason.REFUSED and not visit.session.admitted
                self._signal((Refused if is_stranger else Over)(visit.share, visit.signalled_as))
        self._reports.forget(visit)
        if not visit.session.admitted:
            return
        reason = reason or EndReason.EXPIRED
        if visit.session.greeted:
            held, total = visit.session.held, visit.session.total
            self._reports.say(ViewerLeft(visit.share, visit.viewer, reason, held, total))
            self._reports.touch()
        share = self._shares.get(visit.share)
        if share is None:
            return
        share.leave(visit.viewer)
        if visit.session.greeted:
            share.departed.appendleft(visit.status(reason))
        if share.ended is EndReason.USED_UP and not share.guests:
            self._used_up(share)

    def _is_signalled(self, visit: Visit) -> bool:
        return self._signalled.get((visit.share, visit.signalled_as)) is visit
