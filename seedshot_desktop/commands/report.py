"""How ``seedshot share`` tells what happens: as JSON, as plain lines, or live on a terminal.

Standard output holds the link and, with ``--json``, the events; what is written
for people beside the link goes to standard error, so that the output of a
script stays the link alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TextIO

from seedshot_desktop.commands import events, screen
from seedshot_desktop.quantities import format_duration, format_percent, format_size, plural, printable
from seedshot_desktop.seed import messages as m

ENDINGS = {
    "revoked": "Taken back. The link is dead, and open pages have dropped what they showed.",
    "expired": "The time is over. The link is dead.",
    "used_up": "Everybody who was meant to see it has seen it. The link is dead.",
}
_LEAVING = {
    m.EndReason.CLOSED: "closed the page",
    m.EndReason.LOST: "was lost: the connection broke",
    m.EndReason.STALLED: "took nothing any more",
    m.EndReason.DISMISSED: "was sent away",
    m.EndReason.REFUSED: "was refused",
}
_DEPARTED_SHOWN = 3
_BAR_COLUMNS = 24


class Reporter(Protocol):
    """Where a share's story goes."""

    def tell(self, item: dict[str, Any]) -> None:
        """One object as in ``events.FIELDS``; the first is ``shared``."""

    def draw(self, status: m.EngineStatus) -> None:
        """The whole picture, where it can be drawn."""


class JsonReporter:
    """One object a line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def tell(self, item: dict[str, Any]) -> None:
        """Written at once: a program may wait for it."""
        self._out.write(events.line(item) + "\n")
        self._out.flush()

    def draw(self, status: m.EngineStatus) -> None:
        """The events say it all."""


class PlainReporter:
    """The link on `out`, a sentence for each event on `err`: for logs and for pipes."""

    def __init__(self, out: TextIO, err: TextIO, qr: Callable[[str], str] | None = None) -> None:
        self._out = out
        self._err = err
        self._qr = qr
        self._viewers: dict[str, str] = {}

    def tell(self, item: dict[str, Any]) -> None:
        """The sentence for `item`, if there is one."""
        if "link" in item:
            self._out.write(item["link"] + "\n")
            self._out.flush()
            if self._qr:
                self._write(self._qr(item["link"]))
        if item["event"] == "viewer_joined":
            self._viewers[item["viewer"]] = who(item["browser"], item["system"])
        if sentence := sentence_for(item, self._viewers.get(item.get("viewer", ""), "A viewer")):
            self._write(sentence)

    def draw(self, status: m.EngineStatus) -> None:
        """Lines are enough."""

    def _write(self, text: str) -> None:
        self._err.write(text + "\n")
        self._err.flush()


class LiveReporter:
    """The link and, below it, who is looking and how far they are, drawn again in place."""

    def __init__(
        self, out: TextIO, err: TextIO, now: Callable[[], float], qr: Callable[[str], str] | None = None
    ) -> None:
        self._plain = PlainReporter(out, err, qr)
        self._block = screen.Block(err)
        self._fine = screen.can_show(err, screen.bar(0.5, 3) + "…·")
        self._now = now

    def tell(self, item: dict[str, Any]) -> None:
        """Links first; then only what the picture does not show, above it."""
        kind = item["event"]
        if kind in {"shared", "link_changed"}:
            self._block.draw(())
            self._plain.tell(item)
        elif kind in ENDINGS:
            self._block.draw(())
            self._block.print(ENDINGS[kind])
        elif kind == "broken":
            self._block.draw(())  # the error before it has said it
        elif kind in {"error", "provided"}:
            self._block.print(sentence_for(item, "") or "")

    def draw(self, status: m.EngineStatus) -> None:
        """Draw the picture anew."""
        if status.shares:
            columns, rows = self._block.size()
            self._block.draw(picture(status, self._now(), columns, rows, fine=self._fine))


def sentence_for(item: dict[str, Any], viewer: str) -> str | None:
    """What is written for people about `item`; None where nothing is."""
    match item["event"]:
        case "shared":
            return _announcement(item)
        case "provided":
            return f"Standard input is complete: {_files(item['files'])}."
        case "link_changed":
            return "The address of this computer has changed: this is the link from now on."
        case "viewer_joined":
            return f"{viewer} opened the link."
        case "viewed":
            return f"{viewer} has everything ({plural(item['views'], 'view')})."
        case "viewer_left" if (reason := m.EndReason(item["reason"])) in _LEAVING:
            return f"{viewer} {_LEAVING[reason]} at {format_percent(item['held'], item['total'])}."
        case "server_lost":
            return str(item["reason"])
        case "server_back":
            return "The server is back; the link works again."
        case "error":
            return str(item["problem"])
        case kind:
            return ENDINGS.get(kind)


def picture(status: m.EngineStatus, now: float, columns: int, rows: int, *, fine: bool) -> list[str]:
    """The lines of the live block for the first share, at most `rows` - 2 of them."""
    share = status.shares[0]
    lines = ["", _headline(share, now)]
    if status.server is not m.ServerState.ONLINE:
        lines.append(status.server_problem or "Connecting to the server …")
    lines += [file.problem for file in share.files if file.problem]
    room = max(1, rows - 2 - len(lines))
    viewers = list(share.viewers)
    departed = list(share.departed[: min(_DEPARTED_SHOWN, max(0, room - len(viewers)))])
    shown = viewers if len(viewers) <= room else viewers[: room - 1]
    lines += [viewer_line(viewer, now, columns, fine=fine) for viewer in shown + departed]
    if len(shown) < len(viewers):
        lines.append(f"  and {len(viewers) - len(shown)} more")
    return lines


def viewer_line(viewer: m.ViewerStatus, now: float, columns: int, *, fine: bool) -> str:
    """``  Firefox 153, Windows   ━━━━━━╸┈┈┈   37 %  12.3 MB/s  0:42``."""
    share_of_one = viewer.held / viewer.total if viewer.total else 1.0
    name = screen.pad(who(viewer.browser, viewer.system), max(12, min(32, columns - _BAR_COLUMNS - 32)))
    length = _BAR_COLUMNS if columns >= 70 else max(6, columns - 52)
    since = format_duration((viewer.left_at or now) - viewer.joined_at)
    return f"  {name}  {screen.bar(share_of_one, length, fine=fine)}  {_state(viewer):<22} {since:>6}"


def who(browser: str, system: str) -> str:
    """``Firefox 153, Windows``: what the page said of itself, which nobody has checked."""
    said = [printable(text, 32) for text in (browser, system) if text.strip()]
    return ", ".join(said) or "A viewer"


def _state(viewer: m.ViewerStatus) -> str:
    if viewer.left_at is not None:
        return "left" if viewer.held >= viewer.total else f"left at {format_percent(viewer.held, viewer.total)}"
    if viewer.state is m.ViewerState.COMPLETE:
        return "has everything"
    if viewer.state is m.ViewerState.RECEIVING:
        relayed = " (relay)" if viewer.direct is False else ""
        return f"{format_percent(viewer.held, viewer.total):>5}  {format_size(viewer.rate)}/s{relayed}"
    return "connecting" if viewer.state is m.ViewerState.CONNECTING else "waiting"


def _headline(share: m.ShareStatus, now: float) -> str:
    parts = [plural(len(share.viewers), "viewer") + " now", plural(share.views, "complete view")]
    if share.max_views is not None:
        parts[1] = f"{share.views} of {plural(share.max_views, 'view')}"
    if share.bytes_sent:
        parts.append(f"{format_size(share.bytes_sent)} sent")
    if share.expires_at is not None:
        parts.append(f"ends in {format_duration(share.expires_at - now)}")
    return " · ".join(parts)


def _announcement(item: dict[str, Any]) -> str:
    what = "what comes on standard input" if item["files"] is None else _files(item["files"])
    return f"Sharing {what} from this computer until you press Ctrl-C."


def _files(files: list[dict[str, Any]]) -> str:
    size = format_size(sum(file["size"] for file in files))
    return f"{printable(files[0]['name'])} ({size})" if len(files) == 1 else f"{plural(len(files), 'file')} ({size})"
