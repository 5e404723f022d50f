"""One share: its keys, its files, its limits, and who may see it. Pure; time is an argument.

With ``max_views`` every viewer who is let in keeps one view reserved until it
has acknowledged everything or leaves, so there are never more complete views
than the owner allowed.
"""

from __future__ import annotations

import hashlib
from collections import deque

from seedshot_desktop.seed import link
from seedshot_desktop.seed.files import SharedFile, manifest_of
from seedshot_desktop.seed.messages import EndReason, Keys, Limits, ShareStatus, ViewerStatus
from seedshot_desktop.seed.steps import Admitted, TurnedAway
from seedshot_desktop.seed.transfer import FailReason, Manifest
from seedshot_desktop.seed.transport import Certificate

MAX_DEPARTED = 50
"""Viewers who have left and are still listed."""


class Share:
    """What is shared under one link.

    ``now`` is the engine's clock; ``created_at`` is the wall clock's, for people.
    """

    def __init__(self, keys: Keys, *, label: str, limits: Limits, created_at: float, now: float) -> None:
        """Raises TransportError for keys that cannot be used."""
        self.certificate = Certificate.from_der(keys.certificate, keys.private_key)
        self.token = link.encode_base64url(keys.token)
        self.secret = link.encode_base64url(keys.secret)
        self.id = link.ShareKeys(keys.token, keys.secret, keys.certificate, keys.private_key).share
        self.version_key = hashlib.blake2b(keys.private_key, digest_size=32, person=b"file versions").digest()
        """Keys the versions of its files: of what no viewer and no server has, and the next engine has again."""
        self.label = label
        self.limits = limits
        self.created_at = created_at
        self.files: tuple[SharedFile, ...] | None = None
        self.views = 0
        self.bytes_sent = 0
        self.stun_urls: tuple[str, ...] = ()
        """STUN servers that its signalling server has named."""
        self.ended: EndReason | None = None
        self.departed: deque[ViewerStatus] = deque(maxlen=MAX_DEPARTED)
        self._born = now
        self._guests: dict[str, bool] = {}
        """Admitted viewers in order of arrival; True while a view is reserved."""

    # Files

    @property
    def manifest(self) -> Manifest | None:
        """What viewers are told; None while the files are being prepared."""
        return None if self.files is None else manifest_of(self.files)

    @property
    def failure(self) -> FailReason | None:
        """Why none of its files can be served any more; None while one can, or is still being prepared."""
        failures = [file.failure for file in self.files or ()]
        return failures[0] if failures and all(failures) else None

    # Who may see it

    def admit(self, viewer: str, *, max_viewers: int, now: float) -> Admitted | TurnedAway:
        """A viewer is connected, so it knows the secret: is there room?"""
        if self.ended is not None or self.is_expired(now):
            return TurnedAway("revoked" if self.ended is EndReason.REVOKED else "expired")
        if len(self._guests) >= max_viewers or not self._has_view_left():
            return TurnedAway("full")
        reserved = self.limits.max_views is not None
        self._guests[viewer] = reserved
        return Admitted(self.manifest, reserved)

    @property
    def guests(self) -> int:
        """Viewers who are let in."""
        return len(self._guests)

    def leave(self, viewer: str) -> None:
        """That viewer is gone; a view that was kept for it is free again."""
        self._guests.pop(viewer, None)

    def note_complete(self, viewer: str) -> bool:
        """One complete view, which may use the share up; False where none is left that this viewer could have."""
        if not self._guests.get(viewer, False) and not self._has_view_left():
            return False
        self.release(viewer)
        self.views += 1
        if self.limits.max_views is not None and self.views >= self.limits.max_views and self.ended is None:
            self.ended = EndReason.USED_UP
        return True

    def release(self, viewer: str) -> None:
        """The view that was kept for that viewer is free again, and the viewer stays."""
        if viewer in self._guests:
            self._guests[viewer] = False

    def change_limits(self, limits: Limits, complete: set[str]) -> list[str]:
        """New limits; returns the viewers for whom they leave no view, the latest comers first to go.

        A share that was used up and whose last viewers are still here lives again if there are views left.
        """
        self.limits = limits
        if self.ended is EndReason.USED_UP and (limits.max_views is None or limits.max_views > self.views):
            self.ended = None
        if limits.max_views is None:
            self._guests = dict.fromkeys(self._guests, False)
            return []
        left = limits.max_views - self.views
        receiving = [viewer for viewer in self._guests if viewer not in complete]
        for place, viewer in enumerate(receiving):
            self._guests[viewer] = place < left
        if left <= 0 and self.ended is None:
            self.ended = EndReason.USED_UP
        return receiving[max(left, 0) :]

    def _has_view_left(self) -> bool:
        if self.limits.max_views is None:
            return True
        return self.views + sum(self._guests.values()) < self.limits.max_views

    # Its end

    @property
    def expires_at(self) -> float | None:
        """By the engine's clock; None: never."""
        return None if self.limits.expires_s is None else self._born + self.limits.expires_s

    def is_expired(self, now: float) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at

    def end(self, reason: EndReason) -> None:
        """It is over: the files are let go."""
        self.ended = reason
        self.files = None
        self._guests.clear()

    # What lists show

    def status(self, viewers: tuple[ViewerStatus, ...]) -> ShareStatus:
        """Frozen; `viewers` are those who are here."""
        expires_s = self.limits.expires_s
        return ShareStatus(
            share=self.id,
            label=self.label,
            created_at=self.created_at,
            files=tuple(file.status() for file in self.files or ()),
            preparing=self.files is None,
            expires_at=None if expires_s is None else self.created_at + expires_s,
            max_views=self.limits.max_views,
            views=self.views,
            bytes_sent=self.bytes_sent,
            viewers=viewers,
            departed=tuple(self.departed),
            ended=self.ended,
        )
