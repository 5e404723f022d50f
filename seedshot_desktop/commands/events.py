"""The JSON objects that ``seedshot share --json`` prints, one a line, and what their fields mean; pure."""

from __future__ import annotations

import json
from typing import Any

from seedshot_desktop.seed import messages as m

FIELDS: dict[str, dict[str, str]] = {
    "shared": {
        "link": "what to send to the viewers; the first line of the output",
        "share": "the share's id, 14 characters",
        "files": "list of {name, size in bytes}; null while standard input is being read",
        "expires_at": "when it ends by itself, seconds since the epoch, or null",
        "max_views": "after how many complete views it ends, or null",
    },
    "reachable": {"share": "the signalling server knows it: the link works; again after every server_back"},
    "provided": {
        "share": "standard input has been read to its end",
        "files": "list of {name, size in bytes}",
    },
    "link_changed": {
        "share": "its id",
        "link": "the link from now on: this computer's address has changed",
    },
    "viewer_joined": {
        "share": "its id",
        "viewer": "the name of this visit in the events that follow",
        "browser": "as the viewer's page says, or empty; not to be trusted",
        "system": "as the viewer's page says, or empty; not to be trusted",
        "direct": "true on a direct path, false through a relay, null while unknown",
    },
    "progress": {
        "share": "its id",
        "viewer": "the visit",
        "held": "bytes of all files that the viewer has acknowledged",
        "total": "bytes of all files",
        "rate": "acknowledged bytes per second",
    },
    "viewed": {
        "share": "its id",
        "viewer": "the visit in which every byte has been acknowledged",
        "views": "complete views of the share so far",
    },
    "viewer_left": {
        "share": "its id",
        "viewer": "the visit",
        "reason": "closed, lost, stalled, dismissed, refused, revoked, expired, used_up or broken",
        "held": "bytes that it had acknowledged",
        "total": "bytes of all files",
    },
    "server_lost": {
        "reason": "why the signalling server is out of reach, a sentence",
        "retry_s": "seconds until the next attempt",
    },
    "server_back": {},
    "revoked": {"share": "its id: you took it back"},
    "expired": {"share": "its id: its time is over"},
    "used_up": {"share": "its id: it has had its views"},
    "broken": {"share": "its id: none of its files can be read as they were shared; the error before it says why"},
    "error": {
        "problem": "what happened, why and what to do, a sentence",
        "share": "the share it is about, or empty",
        "file": "the name of the file it is about, or empty",
    },
}
"""Every event with its fields, in the order in which a share meets them."""


def shared(
    link: str, share: str, files: tuple[m.FileStatus, ...] | None, expires_at: float | None, max_views: int | None
) -> dict[str, Any]:
    """The first object: the link."""
    return {
        "event": "shared",
        "link": link,
        "share": share,
        "files": None if files is None else _files(files),
        "expires_at": expires_at,
        "max_views": max_views,
    }


def provided(share: str, files: tuple[m.FileStatus, ...]) -> dict[str, Any]:
    """Standard input is complete."""
    return {"event": "provided", "share": share, "files": _files(files)}


def link_changed(link: str, share: str) -> dict[str, Any]:
    """The link under the computer's new address."""
    return {"event": "link_changed", "share": share, "link": link}


def error(problem: str, share: str = "", file: str = "") -> dict[str, Any]:
    """Something failed."""
    return {"event": "error", "problem": problem, "share": share, "file": file}


def as_object(event: m.Event) -> dict[str, Any] | None:
    """The object for `event`; None for those that are not told."""
    match event:
        case m.Shared(share=share):
            return {"event": "reachable", "share": share}
        case m.ViewerJoined():
            return _told("viewer_joined", event)
        case m.ViewerProgressed():
            return _told("progress", event)
        case m.Viewed():
            return _told("viewed", event)
        case m.ViewerLeft():
            return _told("viewer_left", event)
        case m.ServerLost():
            return _told("server_lost", event)
        case m.ServerBack():
            return {"event": "server_back"}
        case m.ShareEnded(share=share, reason=reason):
            known = reason in {m.EndReason.EXPIRED, m.EndReason.USED_UP, m.EndReason.BROKEN}
            return {"event": reason.value if known else "revoked", "share": share}
        case m.FileFailed(share=share, name=name, problem=problem):
            return error(problem, share, name)
        case m.CommandFailed(problem=problem, share=share):
            return error(problem, share)
        case m.EngineFailed(problem=problem):
            return error(problem)
    return None


def line(item: dict[str, Any]) -> str:
    """`item` as one line of JSON, without its end."""
    return json.dumps(item, ensure_ascii=False)


def help_text() -> str:
    """The table of events for ``--help``."""
    lines = ['With --json, one object a line; "event" names it:']
    for name, fields in FIELDS.items():
        lines.append(f"  {name}")
        lines += [f"    {field:<12}{meaning}" for field, meaning in fields.items()]
    return "\n".join(lines)


def _files(files: tuple[m.FileStatus, ...]) -> list[dict[str, Any]]:
    return [{"name": file.name, "size": file.size} for file in files]


def _told(name: str, event: m.Event) -> dict[str, Any]:
    """`event`'s own fields, which are named as the objects' are; enums by their value."""
    fields = {field: getattr(event, field) for field in FIELDS[name]}
    return {"event": name} | {
        field: value.value if isinstance(value, m.EndReason) else value for field, value in fields.items()
    }
