"""The commands that ask the running app: capture, list, revoke, quit. No Qt, no engine."""

from __future__ import annotations

import argparse
import os
import time
from typing import Literal

from seedshot_desktop.commands import events, output
from seedshot_desktop.control import (
    CaptureRequest,
    Code,
    ControlRefusedError,
    ListedShare,
    ListRequest,
    QuitRequest,
    Reply,
    RevokeRequest,
    client_request,
    is_running,
)
from seedshot_desktop.errors import ControlError
from seedshot_desktop.quantities import format_duration, format_size, plural, printable

_QUIT_WITHIN_S = 10.0
"""Every page is told before the app ends."""
_LOOK_EVERY_S = 0.05


def command(options: argparse.Namespace) -> int:
    """Run the command that `options` name; the exit code. Raises ControlError."""
    match options.command:
        case "capture":
            _capture(options.mode, options.save, json=options.json)
        case "list":
            _list(json=options.json)
        case "revoke":
            _revoke(options.share, every=options.all, json=options.json)
        case "quit":
            _quit()
    return 0


def line_for(share: ListedShare, now: float) -> str:
    """Two lines about one share: what it is, and its link."""
    parts = [
        "preparing" if share.preparing else format_size(share.size),
        plural(share.viewers, "viewer") + " now",
        plural(share.views, "view") if share.max_views is None else f"{share.views} of {share.max_views} views",
        f"{format_duration(now - share.created_at)} old",
    ]
    if share.expires_at is not None:
        parts.append(f"ends in {format_duration(share.expires_at - now)}")
    if share.problem:
        parts.append(printable(share.problem, 200))
    return f"{share.share}  {printable(share.label)}  ({', '.join(parts)})\n                {share.link}"


def _capture(mode: Literal["region", "screen", "all"], save: str | None, *, json: bool) -> None:
    request = CaptureRequest(mode=mode, save=None if save is None else os.path.abspath(save))
    for reply in client_request(request, timeout_s=None):
        if json:
            _print_captured(reply)
        elif reply.link:
            output.result(reply.link)
        if reply.saved and not json:
            output.note(f"Saved as {reply.saved}")


def _print_captured(reply: Reply) -> None:
    if reply.link:
        output.result(events.line({"event": "shared", "link": reply.link, "share": reply.share}))
    if reply.saved:
        output.result(events.line({"event": "saved", "path": reply.saved}))


def _list(*, json: bool) -> None:
    reply = _ask_list()
    now = time.time()
    for share in reply.shares or ():
        output.result(events.line(_as_object(share)) if json else line_for(share, now))
    if not json and not reply.shares:
        output.note("Nothing is shared.")
    if not json and reply.server == "offline":
        output.note("The server is out of reach; links work again when it is back.")


def _as_object(share: ListedShare) -> dict[str, object]:
    """Every field, also those that have their default."""
    return {name: getattr(share, name) for name in ListedShare.__struct_fields__}


def _revoke(wanted: str | None, *, every: bool, json: bool) -> None:
    request = RevokeRequest(all=True) if every else RevokeRequest(share=_resolved(wanted))
    for reply in client_request(request):
        if json:
            output.result(events.line({"event": "revoked", "revoked": reply.revoked or 0, "share": request.share}))
        else:
            output.note(f"Took back {plural(reply.revoked or 0, 'share')}.")


def _resolved(wanted: str | None) -> str:
    """The id of the one live share that `wanted` names; without it, of the only one. Raises ControlError."""
    ids = [share.share for share in _ask_list().shares or ()]
    start = _id_in_link(wanted) if wanted and "#" in wanted else wanted or ""
    found = [share for share in ids if share.startswith(start)]
    if len(found) == 1:
        return found[0]
    if found and not wanted:
        raise ControlError("There is more than one share. Name one (`seedshot list` has their ids), or say --all.")
    if found:
        raise ControlError("More than one share begins like that. Type more of the id.")
    problem = "There is no such share now. `seedshot list` shows those there are." if wanted else "Nothing is shared."
    raise ControlRefusedError(Reply(ok=False, error=problem, code=Code.NO_SUCH_SHARE))


def _id_in_link(text: str) -> str:
    from seedshot_desktop.seed import link  # noqa: PLC0415 - loads cryptography

    return link.encode_base64url(link.parse(text).id)


def _quit() -> None:
    """Returns when the app is gone, so that the next start does not meet it."""
    for _ in client_request(QuitRequest()):
        pass
    deadline = time.monotonic() + _QUIT_WITHIN_S
    while is_running():
        if time.monotonic() > deadline:
            raise ControlError("Seedshot is still there: it waits for an answer in its window.")
        time.sleep(_LOOK_EVERY_S)


def _ask_list() -> Reply:
    return next(iter(client_request(ListRequest())))
