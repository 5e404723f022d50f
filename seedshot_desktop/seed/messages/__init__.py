"""Commands into the seeding engine and events out of it: the only door of the engine.

Commands are verbs, events are past tense. All are frozen, small, and
serialised with MessagePack when the engine runs in a process of its own.
A share is named by ``share``, its id as base64url (14 characters); a viewer by
the name that the signalling server gave it, which never outlives its visit.
No event carries a secret, a key, a token or a viewer's address.

Times are seconds since the epoch; durations are seconds; sizes are bytes;
rates are bytes per second.
"""

from __future__ import annotations

from seedshot_desktop.seed.messages.base import Message, Value
from seedshot_desktop.seed.messages.commands import (
    ChangeLimits,
    CheckNetwork,
    Command,
    Configure,
    DiskFile,
    DismissViewer,
    EngineOptions,
    File,
    Keys,
    Limits,
    MemoryFile,
    Ping,
    Provide,
    Revoke,
    RevokeAll,
    Seed,
    Stop,
    Unseed,
)
from seedshot_desktop.seed.messages.events import (
    BaseUrlChanged,
    CommandFailed,
    EngineFailed,
    EngineStarted,
    Event,
    FileFailed,
    Ponged,
    ServerBack,
    ServerLost,
    Shared,
    ShareEnded,
    StatusChanged,
    Stopped,
    Viewed,
    ViewerJoined,
    ViewerLeft,
    ViewerProgressed,
)
from seedshot_desktop.seed.messages.framing import (
    MAX_FRAME,
    FrameDecoder,
    FrameError,
    decode_command,
    decode_event,
    encode,
    frame,
)
from seedshot_desktop.seed.messages.status import (
    EndReason,
    EngineStatus,
    FileStatus,
    ServerState,
    ShareStatus,
    ViewerState,
    ViewerStatus,
)

__all__ = [
    "MAX_FRAME",
    "BaseUrlChanged",
    "ChangeLimits",
    "CheckNetwork",
    "Command",
    "CommandFailed",
    "Configure",
    "DiskFile",
    "DismissViewer",
    "EndReason",
    "EngineFailed",
    "EngineOptions",
    "EngineStarted",
    "EngineStatus",
    "Event",
    "File",
    "FileFailed",
    "FileStatus",
    "FrameDecoder",
    "FrameError",
    "Keys",
    "Limits",
    "MemoryFile",
    "Message",
    "Ping",
    "Ponged",
    "Provide",
    "Revoke",
    "RevokeAll",
    "Seed",
    "ServerBack",
    "ServerLost",
    "ServerState",
    "ShareEnded",
    "ShareStatus",
    "Shared",
    "StatusChanged",
    "Stop",
    "Stopped",
    "Unseed",
    "Value",
    "Viewed",
    "ViewerJoined",
    "ViewerLeft",
    "ViewerProgressed",
    "ViewerState",
    "ViewerStatus",
    "decode_command",
    "decode_event",
    "encode",
    "frame",
]
