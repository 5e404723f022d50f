"""The book of shares: what the engine says about them joined with what only the app knows; pure.

Only the app knows a share's link (the engine is never given the words to write
one) and its thumbnail. Windows and the tray draw ``Overview``, one frozen value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from seedshot_desktop.seed.messages import (
    BaseUrlChanged,
    EndReason,
    EngineStarted,
    EngineStatus,
    Event,
    FileStatus,
    Limits,
    ServerState,
    ShareEnded,
    ShareStatus,
    StatusChanged,
    ViewerState,
    ViewerStatus,
)

_DEPARTED_KEPT = 50


@dataclass(frozen=True, slots=True)
class Item:
    """One live share, as it is drawn."""

    status: ShareStatus
    link: str = field(repr=False)
    """What is copied; "" for a share that the app did not make."""
    thumbnail: bytes = field(repr=False)
    """PNG, or b"" while there is none."""

    @property
    def watchers(self) -> int:
        """How many look at it now."""
        return sum(viewer.state is not ViewerState.CONNECTING for viewer in self.status.viewers)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.status.files)


@dataclass(frozen=True, slots=True)
class Overview:
    """All that there is to draw."""

    server: ServerState = ServerState.CONNECTING
    problem: str = ""
    """"" or a sentence: why links do not work now, and what happens next."""
    items: tuple[Item, ...] = ()
    """Live shares, newest first."""

    @property
    def watchers(self) -> int:
        """How many look at anything now."""
        return sum(item.watchers for item in self.items)

    def item(self, share: str) -> Item | None:
        """The share of that id, while it lives."""
        return next((item for item in self.items if item.status.share == share), None)


@dataclass
class _Known:
    """What the app knows of a share, and what an engine before this one counted."""

    placeholder: ShareStatus
    fragment: str
    base_url: str
    thumbnail: bytes = b""
    views_before: int = 0
    sent_before: int = 0
    departed_before: tuple[ViewerStatus, ...] = ()


class Book:
    """Every live share. Times are seconds since the epoch."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._status: EngineStatus | None = None
        self._base_url = ""
        self._problem = ""
        self._hidden: set[str] = set()

    @property
    def base_url(self) -> str:
        """Where links minted now begin; "" until the engine has said so once."""
        return self._base_url

    def add(
        self,
        share: str,
        *,
        link: str,
        label: str,
        limits: Limits,
        now: float,
        files: tuple[FileStatus, ...] = (),
        thumbnail: bytes = b"",
    ) -> None:
        """A share was minted; it is listed at once, whatever the engine is busy with."""
        base_url, _, fragment = link.partition("/#")
        self._known[share] = _Known(_fresh(share, label, limits, now, files), fragment, base_url, thumbnail)

    def set_thumbnail(self, share: str, thumbnail: bytes) -> None:
        """The picture's small likeness is ready."""
        if known := self._known.get(share):
            known.thumbnail = thumbnail

    def lives(self, share: str) -> bool:
        """Whether a share that was added has neither ended nor been revoked."""
        return share in self._known

    def limit(self, share: str, limits: Limits) -> None:
        """The owner changed a share's limits; shown at once where the engine is not there to say so."""
        if known := self._known.get(share):
            begun = known.placeholder.created_at
            expires_at = None if limits.expires_s is None else begun + limits.expires_s
            known.placeholder = msgspec.structs.replace(
                known.placeholder, expires_at=expires_at, max_views=limits.max_views
            )

    def revoking(self, share: str) -> None:
        """The owner revoked it: gone from sight at once, while the engine carries it out."""
        self._hidden.add(share)
        self._known.pop(share, None)

    def revoking_all(self) -> None:
        """As ``revoking``, for every share."""
        for share in [item.status.share for item in self.overview().items]:
            self.revoking(share)

    def hear(self, event: Event) -> None:
        """What the engine says."""
        match event:
            case EngineStarted(base_url=base_url) | BaseUrlChanged(base_url=base_url):
                self._base_url, self._problem = base_url or self._base_url, ""
            case StatusChanged(status=status):
                self._take(status)
            case ShareEnded(share=share):
                self.revoking(share)
            case _:
                pass

    def engine_died(self, problem: str, now: float) -> None:
        """Nobody is watching any more; live shares wait for the next engine."""
        for status in self._status.shares if self._status else ():
            if known := self._known.get(status.share):
                known.placeholder = _without_viewers(self._joined(status), now)
                known.views_before = known.placeholder.views
                known.sent_before = known.placeholder.bytes_sent
                known.departed_before = known.placeholder.departed
        self._status, self._problem = None, problem

    def overview(self) -> Overview:
        """All that there is to draw now."""
        listed = self._status.shares if self._status else ()
        told = {status.share for status in listed}
        waiting = [known.placeholder for share, known in self._known.items() if share not in told]
        statuses = [self._joined(status) for status in listed if status.share not in self._hidden] + waiting
        statuses.sort(key=lambda status: status.created_at, reverse=True)
        return Overview(self._server(), self._trouble(), tuple(self._item(status) for status in statuses))

    def _take(self, status: EngineStatus) -> None:
        self._status = status
        self._base_url = status.base_url or self._base_url
        self._hidden &= {share.share for share in status.shares}

    def _server(self) -> ServerState:
        if self._status is None:
            return ServerState.OFFLINE if self._problem else ServerState.CONNECTING
        return self._status.server

    def _trouble(self) -> str:
        return self._status.server_problem if self._status else self._problem

    def _item(self, status: ShareStatus) -> Item:
        known = self._known.get(status.share)
        if known is None:
            return Item(status, "", b"")
        return Item(status, f"{self._base_url or known.base_url}/#{known.fragment}", known.thumbnail)

    def _joined(self, status: ShareStatus) -> ShareStatus:
        """`status` with what engines before this one counted."""
        known = self._known.get(status.share)
        if known is None:
            return status
        return msgspec.structs.replace(
            status,
            created_at=known.placeholder.created_at,
            views=status.views + known.views_before,
            max_views=None if status.max_views is None else status.max_views + known.views_before,
            bytes_sent=status.bytes_sent + known.sent_before,
            departed=(status.departed + known.departed_before)[:_DEPARTED_KEPT],
        )


def _fresh(share: str, label: str, limits: Limits, now: float, files: tuple[FileStatus, ...]) -> ShareStatus:
    return ShareStatus(
        share=share,
        label=label,
        created_at=now,
        files=files,
        preparing=not files,
        expires_at=None if limits.expires_s is None else now + limits.expires_s,
        max_views=limits.max_views,
        views=0,
        bytes_sent=0,
        viewers=(),
        departed=(),
    )


def _without_viewers(status: ShareStatus, now: float) -> ShareStatus:
    """`status` with everybody who was looking among the departed: their connections broke."""
    now_gone = tuple(
        msgspec.structs.replace(viewer, state=ViewerState.LEFT, rate=0.0, left_at=now, left_reason=EndReason.LOST)
        for viewer in status.viewers
    )
    return msgspec.structs.replace(status, viewers=(), departed=(now_gone + status.departed)[:_DEPARTED_KEPT])
