"""Commands into the engine, and the values in them: verbs."""

from __future__ import annotations

import msgspec

from seedshot_desktop.seed.messages.base import Message, Value
from seedshot_desktop.seed.messages.status import EndReason

# Values in commands


class Keys(Value, frozen=True):
    """A share's keys, see ``link.ShareKeys``."""

    token: bytes
    secret: bytes
    certificate: bytes
    private_key: bytes

    def __repr__(self) -> str:
        """Never the keys: a log line or a crash report may print this."""
        return "Keys(…)"


class MemoryFile(msgspec.Struct, frozen=True, tag=True):
    """A file that exists in memory only: a capture, or what came on standard input."""

    name: str
    media_type: str
    data: bytes

    def __repr__(self) -> str:
        """Without the content, and without the name, which may say something about a person."""
        return f"MemoryFile({len(self.data)} bytes)"


class DiskFile(msgspec.Struct, frozen=True, tag=True):
    """A file on disk, read while it is seeded, never copied."""

    name: str
    media_type: str
    path: str
    """Absolute."""

    def __repr__(self) -> str:
        """Without the path, which often holds a person's name."""
        return "DiskFile(…)"


File = MemoryFile | DiskFile


class Limits(Value, frozen=True):
    """When a share ends by itself."""

    expires_s: float | None = None
    """Seconds from its start; None: never."""
    max_views: int | None = None
    """Complete views; None: any number."""


class EngineOptions(Value, frozen=True):
    """How the engine meets the network."""

    server_url: str = ""
    """Base URL of a signalling server, http(s); "" runs the embedded one."""
    listen_host: str = ""
    """Where the embedded server listens; "" is every address, "127.0.0.1" this computer only."""
    listen_port: int = 21880
    """The embedded server's port; the next free one if it is taken, 0 for any."""
    advertised_host: str = ""
    """The name or address in links; "" is the address of the default route."""
    stun_urls: tuple[str, ...] = ()
    """Asked for the public address, besides those that the signalling server names, and never waited for."""
    turn_urls: tuple[str, ...] = ()
    """Relays, with ``turn_username`` and ``turn_password``."""
    turn_username: str = ""
    turn_password: str = ""
    max_viewers: int = 50
    """Viewers of one share at once; more are told that it is full."""
    upload_limit: int = 0
    """Bytes per second over all shares; 0 is no limit."""
    share_upload_limit: int = 0
    """Bytes per second for each share; 0 is no limit."""


# Commands


class Seed(Message, frozen=True):
    """Register a share and answer its viewers from now on; its files may follow in ``Provide``."""

    keys: Keys
    label: str
    """What the owner reads in lists; never leaves the machine."""
    limits: Limits = Limits()
    files: tuple[File, ...] | None = None
    """None: a capture is still being encoded; viewers wait inside the page."""


class Provide(Message, frozen=True):
    """The files of a share that was announced without them."""

    share: str
    files: tuple[File, ...]
    """None at all: they could not be made, and the share ends as BROKEN."""


class Revoke(Message, frozen=True):
    """End a share now: no further byte leaves."""

    share: str


class RevokeAll(Message, frozen=True):
    """End every share now."""


class Unseed(Message, frozen=True):
    """A share of an engine before this one has ended: the server is told, should it not know yet."""

    token: bytes
    reason: EndReason

    def __repr__(self) -> str:
        """Never the token: a log line or a crash report may print this."""
        return f"Unseed({self.reason.name})"


class DismissViewer(Message, frozen=True):
    """Send one viewer away; the link still works for the others."""

    share: str
    viewer: str


class ChangeLimits(Message, frozen=True):
    """New limits for a live share; one that is past them already ends at once."""

    share: str
    limits: Limits
    """``expires_s`` still counts from the share's start, ``max_views`` counts the views so far."""


class Configure(Message, frozen=True):
    """New options; shares stay, and are registered again where the server changed."""

    options: EngineOptions


class CheckNetwork(Message, frozen=True):
    """The machine woke, or its addresses changed: look at once instead of waiting for a timer."""


class Ping(Message, frozen=True):
    """Say ``Ponged`` with the same number at once: an engine that does not is taken to stand still."""

    number: int


class Stop(Message, frozen=True):
    """Revoke everything, say so to every page, and end."""


Command = (
    Seed | Provide | Revoke | RevokeAll | Unseed | DismissViewer | ChangeLimits | Configure | CheckNetwork | Ping | Stop
)
