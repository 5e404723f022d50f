"""Events out of the engine: past tense."""

from __future__ import annotations

from seedshot_desktop.seed.messages.base import Message
from seedshot_desktop.seed.messages.status import EndReason, EngineStatus


class EngineStarted(Message, frozen=True):
    """The engine takes commands."""

    base_url: str
    """Links may be minted with it from now on: the embedded server listens, or one was named."""


class BaseUrlChanged(Message, frozen=True):
    """Links minted from now on start with this; the machine's address or the settings changed."""

    base_url: str


class Shared(Message, frozen=True):
    """The server knows the share: its link works. Sent again after a reconnection."""

    share: str


class ServerLost(Message, frozen=True):
    """The signalling server is out of reach; the engine keeps trying."""

    reason: str
    retry_s: float


class ServerBack(Message, frozen=True):
    """The signalling server answers again; every live share is being registered."""


class ViewerJoined(Message, frozen=True):
    """A viewer is let in, and has said who it is."""

    share: str
    viewer: str
    browser: str
    system: str
    direct: bool | None


class ViewerProgressed(Message, frozen=True):
    """How far a viewer is; at most five a second for each viewer, and always the last."""

    share: str
    viewer: str
    held: int
    total: int
    rate: float


class ViewerLeft(Message, frozen=True):
    """An admitted viewer is gone."""

    share: str
    viewer: str
    reason: EndReason
    held: int
    total: int


class Viewed(Message, frozen=True):
    """A viewer has acknowledged every byte: one complete view."""

    share: str
    viewer: str
    views: int
    """Complete views of the share so far, this one included."""


class ShareEnded(Message, frozen=True):
    """A share is over; its memory is freed."""

    share: str
    reason: EndReason


class FileFailed(Message, frozen=True):
    """A shared file vanished, changed or cannot be read; viewers are told."""

    share: str
    name: str
    problem: str


class CommandFailed(Message, frozen=True):
    """A command could not be carried out; a sentence says why and what to do."""

    problem: str
    share: str = ""


class EngineFailed(Message, frozen=True):
    """The engine cannot go on, or could not start; a sentence says why and what to do."""

    problem: str


class StatusChanged(Message, frozen=True):
    """The whole picture; at most five a second, and always the last state."""

    status: EngineStatus


class Ponged(Message, frozen=True):
    """The answer to the ``Ping`` of that number: the engine's loop goes round."""

    number: int


class Stopped(Message, frozen=True):
    """Every page was told; the engine is about to end."""


Event = (
    EngineStarted
    | BaseUrlChanged
    | Shared
    | ServerLost
    | ServerBack
    | ViewerJoined
    | ViewerProgressed
    | ViewerLeft
    | Viewed
    | ShareEnded
    | FileFailed
    | CommandFailed
    | EngineFailed
    | StatusChanged
    | Ponged
    | Stopped
)
