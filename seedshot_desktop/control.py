"""How the command line speaks to the running app: the protocol of its control socket, and a client without Qt.

A Unix socket in the runtime folder (on Windows a named pipe), which only the
same user may open. The client sends one request as a line of JSON; the app
answers with one line of JSON or more and closes::

    {"command": "capture", "mode": "region"}    -> {"ok": true, "share": "…", "link": "http://…"}
    {"command": "list"}                         -> {"ok": true, "shares": [{"share": "…", "label": "…", …}]}
    {"command": "revoke", "share": "…"}         -> {"ok": true, "revoked": 1}
    anything that fails                         -> {"ok": false, "error": "a sentence", "code": "no_such_share"}

``encode_request``, ``decode_reply`` and ``client_request`` are the command
line's side; ``decode_request`` and ``encode_reply`` the app's.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import warnings
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Literal

import msgspec

from seedshot_desktop import control_client
from seedshot_desktop.errors import ControlError

MAX_LINE = 1024 * 1024
"""Bytes of one request or one reply, its newline included."""
REPLY_TIMEOUT_S = 10.0
"""How long the app may take to answer what needs no person."""

_MAX_SOCKET_PATH = 103  # bytes: macOS' sun_path holds 104 with its zero byte, Linux' 108


class Code(Enum):
    """Why a request failed, for programs; people read ``error``."""

    NONE = ""
    FAILED = "failed"
    CANCELLED = "cancelled"
    """The person pressed Esc in the selection."""
    NO_SUCH_SHARE = "no_such_share"
    MALFORMED = "malformed"
    """Not a request of this protocol: the app and the command line are of different versions."""


# Requests


class _Request(msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True):
    """Base of every request; the tag in ``command`` names it."""


class ShowRequest(_Request, frozen=True, tag="show"):
    """Open a window and raise it; what a second start of the app does."""

    window: Literal["shares", "settings"] = "shares"


class CaptureRequest(_Request, frozen=True, tag="capture"):
    """Capture and share; answered when the link is on the clipboard, which waits for the person."""

    mode: Literal["region", "screen", "all"] = "region"
    save: str | None = None
    """Absolute path of a file that the picture is written to as well; its ending chooses PNG or WebP."""


class ShareRequest(_Request, frozen=True, tag="share"):
    """Share files from the running app."""

    paths: tuple[str, ...]
    """Absolute."""


class ListRequest(_Request, frozen=True, tag="list"):
    """The live shares."""


class RevokeRequest(_Request, frozen=True, tag="revoke"):
    """End one share, or with ``all`` every one."""

    share: str | None = None
    all: bool = False


class ReloadRequest(_Request, frozen=True, tag="reload"):
    """The settings file changed: read it again."""


class QuitRequest(_Request, frozen=True, tag="quit"):
    """Revoke everything and end the app."""


Request = ShowRequest | CaptureRequest | ShareRequest | ListRequest | RevokeRequest | ReloadRequest | QuitRequest


# Replies


class ListedShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """One live share, as ``seedshot list`` shows it."""

    share: str
    """Its id, 14 characters."""
    label: str
    link: str
    created_at: float
    """Seconds since the epoch."""
    files: int
    size: int
    """Bytes of all files; 0 while ``preparing``."""
    viewers: int
    """Who is looking now."""
    views: int
    """Complete views so far."""
    bytes_sent: int
    max_views: int | None = None
    expires_at: float | None = None
    """Seconds since the epoch."""
    preparing: bool = False
    problem: str = ""
    """A sentence when a file of it cannot be served any more."""

    def __repr__(self) -> str:
        """Without the link, which a log must not hold."""
        return "ListedShare(…)"


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer; fields that do not belong to the request are left out."""

    ok: bool
    error: str = ""
    """A sentence for the person, where not ``ok``."""
    code: Code = Code.NONE
    share: str = ""
    """capture, share: the new share's id."""
    link: str = ""
    """capture, share: its link, on the clipboard already."""
    saved: str = ""
    """capture: the file that was written."""
    shares: tuple[ListedShare, ...] | None = None
    """list: the live shares, newest first."""
    server: Literal["", "connecting", "online", "offline"] = ""
    """list: where the engine stands with its signalling server."""
    revoked: int | None = None
    """revoke: how many shares ended."""

    def __repr__(self) -> str:
        """Without links and names, which a log must not hold."""
        return f"Reply(ok={self.ok})"


_encoder = msgspec.json.Encoder()
_request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_reply_decoder = msgspec.json.Decoder(Reply)


def encode_request(request: Request) -> bytes:
    """One line."""
    return _encoder.encode(request) + b"\n"


def decode_request(line: bytes) -> Request:
    """The request in one line; raises ControlError, whose text is the ``error`` to answer with."""
    try:
        return _request_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(
            "The running Seedshot does not know this command; it is of another version. "
            "Quit it from its tray menu and start it again."
        ) from error


def encode_reply(reply: Reply) -> bytes:
    """One line."""
    return _encoder.encode(reply) + b"\n"


def decode_reply(line: bytes) -> Reply:
    """The reply in one line; raises ControlError."""
    try:
        return _reply_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(
            "The running Seedshot answered in a way that this version does not know. Quit it and start it again."
        ) from error


def client_request(request: Request, *, timeout_s: float | None = REPLY_TIMEOUT_S) -> Iterator[Reply]:
    """Send `request` to the running app and yield its replies until it closes.

    `timeout_s` bounds the wait for each reply; None waits for as long as a person
    takes. Raises ControlError: control_client.NotRunningError, ControlRefusedError with the app's
    reply, or one without a kind of its own when the app does not answer.
    """
    answered = False
    for line in control_client.exchange(socket_name(), encode_request(request), timeout_s, MAX_LINE):
        reply = decode_reply(line)
        if not reply.ok:
            raise ControlRefusedError(reply)
        answered = True
        yield reply
    if not answered:
        raise ControlError("Seedshot ended before it answered. Start it again with: seedshot")


class ControlRefusedError(ControlError):
    """The app understood, and said no; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.error or "Seedshot could not do that.")
        self.reply = reply


def is_running() -> bool:
    """Whether an app listens on the control socket."""
    return control_client.can_connect(socket_name())


def socket_name() -> str:
    """What QLocalServer.listen takes and the client connects to: a path, or on Windows the name of a pipe."""
    if sys.platform == "win32":
        override = os.environ.get("SEEDSHOT_RUNTIME_DIR", "")
        apart = "-" + hashlib.sha256(override.encode()).hexdigest()[:12] if override else ""
        return rf"\\.\pipe\seedshot-desktop-{os.environ.get('USERNAME', 'user')}{apart}"
    path = str(runtime_folder() / "seedshot-desktop.sock")
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise ControlError(
            "The path of the runtime folder is too long for a socket. Set SEEDSHOT_RUNTIME_DIR to a shorter one."
        )
    return path


def runtime_folder() -> Path:
    """The folder of the control socket, made if needed, which only this user may enter; raises ControlError.

    The environment's SEEDSHOT_RUNTIME_DIR names another one.
    """
    try:
        folder = _runtime_path()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise ControlError(f"The runtime folder cannot be used: {error.strerror}.") from error
    if sys.platform != "win32" and not _is_private(status):
        raise ControlError(
            f"The runtime folder {folder} belongs to somebody else, or others may write in it. "
            "Remove it, or set SEEDSHOT_RUNTIME_DIR to a folder of your own."
        )
    return folder


def _runtime_path() -> Path:
    if folder := os.environ.get("SEEDSHOT_RUNTIME_DIR"):
        return Path(folder).absolute()
    import platformdirs  # noqa: PLC0415 - only for the default folder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set, which is nobody's mistake
        return platformdirs.user_runtime_path("seedshot-desktop", appauthor=False)


def _is_private(status: os.stat_result) -> bool:
    """A folder of this user that nobody else may change: whoever could might listen in the app's place."""
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & others
