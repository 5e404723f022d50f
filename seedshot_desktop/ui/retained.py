"""What a new engine has to be told when the one before it died: the live shares; pure.

The engine keeps shares in memory only, so the app retains the commands that
made them. Replayed, a share keeps its keys, and so its link; its limits shrink
by the time and the views that were used up before.

Of shares that ended, the tokens are retained, for a bounded number of them: the
engine that died may not have told the server, or was the server itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from seedshot_desktop.seed.messages import (
    ChangeLimits,
    Command,
    EndReason,
    Event,
    File,
    Limits,
    Provide,
    Revoke,
    RevokeAll,
    Seed,
    ShareEnded,
    Stop,
    Unseed,
    Viewed,
)

MAX_ENDED = 256
"""Ended shares that a new engine is told of; it keeps as many for its server."""
_ID_BYTES = 10


def share_of(seed: Seed) -> str:
    """The share's id: the start of the SHA-256 of its token, as base64url."""
    digest = hashlib.sha256(seed.keys.token).digest()[:_ID_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass
class _Share:
    seed: Seed
    started_at: float
    views: int = 0


class Retained:
    """The live shares, as commands. Times are seconds since the epoch."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._ended: OrderedDict[str, Unseed] = OrderedDict()

    def __len__(self) -> int:
        """How many shares live."""
        return len(self._shares)

    def note_command(self, command: Command, now: float) -> None:
        """Remember, or forget, what `command` does to a share."""
        match command:
            case Seed():
                self._shares[share_of(command)] = _Share(command, now)
                self._ended.pop(share_of(command), None)
            case Provide(share=share, files=files):
                self._change(share, files=files)
            case ChangeLimits(share=share, limits=limits):
                self._change(share, limits=limits)
            case Revoke(share=share):
                self._end(share, EndReason.REVOKED)
            case RevokeAll() | Stop():
                for share in list(self._shares):
                    self._end(share, EndReason.REVOKED)
            case _:
                pass  # about viewers and the network, not about what is shared

    def note_event(self, event: Event) -> None:
        """Forget the share that ended, count its views."""
        match event:
            case ShareEnded(share=share, reason=reason):
                self._end(share, reason)
            case Viewed(share=share, views=views) if share in self._shares:
                self._shares[share].views = max(views, self._shares[share].views)
            case _:
                pass

    def forget_over(self, now: float) -> list[str]:
        """The shares whose limits are used up at `now`, forgotten from here on."""
        over = [share for share, entry in self._shares.items() if _remaining(entry, now) is None]
        for share in over:
            self._end(share, EndReason.EXPIRED)
        return over

    def replay(self, now: float) -> list[Seed]:
        """What a new engine is told at `now`, oldest first; what is over is left out."""
        seeds = []
        for share, entry in self._shares.items():
            if (limits := _remaining(entry, now)) is not None:
                seeds.append(msgspec.structs.replace(entry.seed, limits=limits))
                self._shares[share] = _Share(seeds[-1], now)
        return seeds

    def ended(self) -> list[Unseed]:
        """What a new engine is told of those that are over, oldest first."""
        return list(self._ended.values())

    def _end(self, share: str, reason: EndReason) -> None:
        """Only the token stays; the keys and the files go."""
        if entry := self._shares.pop(share, None):
            self._ended[share] = Unseed(entry.seed.keys.token, reason)
            while len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)

    def _change(self, share: str, *, files: tuple[File, ...] | None = None, limits: Limits | None = None) -> None:
        """Other files or limits for a share that lives; nothing for one that does not."""
        if entry := self._shares.get(share):
            # The first files are the share's for good, as in the engine: the version of a capture tells no others.
            if files is not None and entry.seed.files is None:
                entry.seed = msgspec.structs.replace(entry.seed, files=files)
            if limits is not None:
                entry.seed = msgspec.structs.replace(entry.seed, limits=limits)


def _remaining(entry: _Share, now: float) -> Limits | None:
    """What is left of a share's limits; None when nothing is."""
    limits = entry.seed.limits
    seconds = None if limits.expires_s is None else limits.expires_s - (now - entry.started_at)
    views = None if limits.max_views is None else limits.max_views - entry.views
    over = (seconds is not None and seconds <= 0) or (views is not None and views <= 0)
    return None if over else Limits(expires_s=seconds, max_views=views)
