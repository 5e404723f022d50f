"""Who is in the rooms, and what is to be done for them: the values that `Rooms` keeps and returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from signal_server.limits import Bucket
from signal_server.protocol import ServerMessage

Socket = int
"""An open WebSocket, as the shell calls it."""


@dataclass(frozen=True, slots=True)
class Send:
    """Say this to that socket."""

    socket: Socket
    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """Close that socket; nothing more is sent to it, and what it still says is not heard."""

    socket: Socket
    code: int
    reason: str


Action = Send | Close


@dataclass(frozen=True, slots=True)
class Counts:
    """All that a log may know."""

    sockets: int
    owners: int
    viewers: int
    shares: int
    """With an owner."""
    paired: int
    waiting: int
    offline: int
    tombstones: int


@dataclass(slots=True, eq=False)
class Client:
    """One socket; an owner or a viewer from its first valid message on."""

    socket: Socket
    address: str
    """What shares one quota with it (see `gate.quota_key`)."""
    messages: Bucket
    faults: Bucket
    owner: bool | None = None
    shares: set[str] = field(default_factory=set)
    """An owner's: what it seeds."""
    replies: int = 0
    """An owner's: what it may say beyond its bucket, because offers were passed on to it."""
    views: Bucket | None = None
    share: str | None = None
    """A viewer's: what it looks at or waits for."""
    name: str | None = None
    """A viewer's: what the owner calls it, while paired."""
    candidates: int = 0
    """A viewer's: how many were passed on since its offer."""


@dataclass(slots=True, eq=False)
class Share:
    """One id: its owner, the viewers paired with it, those who wait, and those who do neither, in order of arrival."""

    id: str
    owner: Client | None = None
    paired: dict[str, Client] = field(default_factory=dict)
    waiting: dict[Socket, Client] = field(default_factory=dict)
    idle: dict[Socket, Client] = field(default_factory=dict)
    """Visits that ended, and who was nudged: they hear of the end of the share. Nobody, while there is no owner."""

    def watchers(self) -> list[Client]:
        """Everyone to whom this id means something, each once."""
        everyone = (*self.paired.values(), *self.waiting.values(), *self.idle.values())
        return list({client.socket: client for client in everyone}.values())
