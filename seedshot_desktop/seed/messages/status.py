"""What there is to draw, frozen: the whole picture that ``StatusChanged`` carries."""

from __future__ import annotations

from enum import Enum

from seedshot_desktop.seed.messages.base import Value


class ServerState(Enum):
    """Where the engine stands with its signalling server."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"


class ViewerState(Enum):
    """Where one viewer stands."""

    CONNECTING = "connecting"
    """An offer came; the secret has not been shown yet. Not listed to the owner by default."""
    WAITING = "waiting"
    """Admitted; the capture is still being encoded, or nothing was asked for yet."""
    RECEIVING = "receiving"
    COMPLETE = "complete"
    """Has acknowledged every byte."""
    LEFT = "left"


class EndReason(Enum):
    """Why a share ended, or a viewer left."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used_up"
    """The share had its number of views."""
    BROKEN = "broken"
    """None of the share's files can be served any more: vanished, changed, or not to be read."""
    DISMISSED = "dismissed"
    """The owner sent this viewer away."""
    CLOSED = "closed"
    """The viewer closed the page."""
    LOST = "lost"
    """The connection broke, or never came about."""
    STALLED = "stalled"
    """The viewer acknowledged nothing for too long."""
    REFUSED = "refused"
    """The viewer broke the protocol or showed a wrong secret."""


class FileStatus(Value, frozen=True):
    """One file of a share, as lists show it."""

    name: str
    size: int
    media_type: str
    problem: str = ""
    """"" or a sentence for the owner: it vanished, it changed, it cannot be read."""


class ViewerStatus(Value, frozen=True):
    """One visit of one viewer, frozen."""

    viewer: str
    state: ViewerState
    browser: str
    """As the page says, e.g. ``Firefox 153``; "" when unknown. Untrusted text, at most 64 characters."""
    system: str
    """As the page says, e.g. ``Windows``; untrusted text, at most 64 characters."""
    direct: bool | None
    """True on a direct path, False through a relay, None while unknown."""
    held: int
    """Bytes of all files that the viewer has acknowledged."""
    total: int
    """Bytes of all files."""
    rate: float
    """Acknowledged bytes per second, smoothed over about two seconds."""
    joined_at: float
    left_at: float | None = None
    left_reason: EndReason | None = None


class ShareStatus(Value, frozen=True):
    """One share, frozen: what the tray and the windows draw."""

    share: str
    label: str
    created_at: float
    files: tuple[FileStatus, ...]
    preparing: bool
    """Still being encoded."""
    expires_at: float | None
    max_views: int | None
    views: int
    """Complete views so far."""
    bytes_sent: int
    """File bytes acknowledged by all viewers together."""
    viewers: tuple[ViewerStatus, ...]
    """Who is here now, in order of arrival."""
    departed: tuple[ViewerStatus, ...]
    """Who has left, latest first; the last 50."""
    ended: EndReason | None = None
    """None while it is live. USED_UP shares stay listed until their last viewer leaves."""


class EngineStatus(Value, frozen=True):
    """All that there is to draw, frozen."""

    server: ServerState
    base_url: str
    """The page's address in links minted now; "" until it is known."""
    server_problem: str
    """"" or a sentence: why the server cannot be used, and what happens next."""
    shares: tuple[ShareStatus, ...]
    """Live shares, newest first."""
