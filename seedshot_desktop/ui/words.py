"""Numbers and states as people read them in menus and windows; translatable, in the person's own number format."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication, QLocale

from seedshot_desktop.quantities import printable
from seedshot_desktop.seed.messages import EndReason, FileStatus, ShareStatus, ViewerState, ViewerStatus

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600


def tr(text: str, count: int = -1) -> str:
    """`text` in the person's language; ``%n`` in it is `count`, with the right plural."""
    return QCoreApplication.translate("words", text, None, count)


def size(count: float) -> str:
    """``312 kB``, ``1.5 MB``."""
    precision = 0 if count < 1_000_000 else 1
    return QLocale().formattedDataSize(round(count), precision, QLocale.DataSizeFormat.DataSizeSIFormat)


def rate(bytes_per_second: float) -> str:
    """``1.2 MB/s``."""
    return tr("{}/s").format(size(bytes_per_second))


def percent(part: int, whole: int) -> int:
    """0 to 100; 100 only where nothing is missing."""
    return 100 if part >= whole else min(99, part * 100 // whole)


def duration(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2 h``, ``4 d``: one unit, rounded down."""
    whole = max(0, math.floor(seconds))
    if whole < _MINUTE:
        return tr("{} s").format(whole)
    if whole < _HOUR:
        return tr("{} min").format(whole // _MINUTE)
    if whole < _DAY:
        return tr("{} h").format(whole // _HOUR)
    return tr("{} d").format(whole // _DAY)


def age(seconds: float) -> str:
    """``just now``, ``3 min ago``."""
    return tr("just now") if seconds < 10 else tr("{} ago").format(duration(seconds))


def remaining(seconds: float) -> str:
    """``9 min``: as ``duration``, rounded up, for what is still to come."""
    step = 1 if seconds <= _MINUTE else _MINUTE if seconds <= _HOUR else _HOUR
    return duration(math.ceil(max(0.0, seconds) / step) * step)


def watchers(count: int) -> str:
    """How many look now."""
    return tr("nobody is looking") if count == 0 else tr("1 is looking") if count == 1 else tr("%n are looking", count)


def shares(count: int) -> str:
    """How many live."""
    return tr("nothing is shared") if count == 0 else tr("1 share") if count == 1 else tr("%n shares", count)


def views(status: ShareStatus) -> str:
    """``3 views``, or with a limit ``1 of 3 views``."""
    if status.max_views is not None:
        return tr("{views} of {limit} views").format(views=status.views, limit=status.max_views)
    return tr("1 view") if status.views == 1 else tr("%n views", status.views)


def visitor(viewer: ViewerStatus) -> str:
    """``Firefox 153 on Windows``, as the page says; never more than that, and never its own formatting."""
    browser, system = printable(viewer.browser, 40).strip(), printable(viewer.system, 24).strip()
    if browser and system:
        return tr("{browser} on {system}").format(browser=browser, system=system)
    return browser or system or tr("Unknown browser")


def path(viewer: ViewerStatus) -> str:
    """How its bytes travel."""
    return {True: tr("direct"), False: tr("through a relay"), None: ""}[viewer.direct]


def doing(viewer: ViewerStatus) -> str:
    """What a present viewer does now."""
    match viewer.state:
        case ViewerState.CONNECTING:
            return tr("connecting")
        case ViewerState.WAITING:
            return tr("waiting")
        case ViewerState.RECEIVING:
            return rate(viewer.rate)
        case _:
            return tr("has it all")


def farewell(viewer: ViewerStatus) -> str:
    """How a visit ended, and how much had been seen."""
    reasons = {
        EndReason.REVOKED: tr("the share was revoked"),
        EndReason.EXPIRED: tr("the share expired"),
        EndReason.USED_UP: tr("the share was used up"),
        EndReason.BROKEN: tr("the file was no longer there as it was"),
        EndReason.DISMISSED: tr("you sent them away"),
        EndReason.LOST: tr("the connection broke"),
        EndReason.STALLED: tr("took nothing for too long"),
        EndReason.REFUSED: tr("was refused"),
    }
    seen = (
        tr("saw it all") if viewer.held >= viewer.total else tr("got {} %").format(percent(viewer.held, viewer.total))
    )
    reason = reasons.get(viewer.left_reason) if viewer.left_reason else None
    return f"{seen}, {reason}" if reason else seen


def files(items: tuple[FileStatus, ...]) -> str:
    """``PNG picture, 312 kB`` or ``4 files, 12 MB``."""
    total = size(sum(item.size for item in items))
    if len(items) != 1:
        return tr("{count} files, {size}").format(count=len(items), size=total)
    return f"{_kind(items[0])}, {total}"


def _kind(file: FileStatus) -> str:
    """``PNG``, ``WEBP``, ``PDF``: the last part of the type where that says anything, else the name's ending."""
    family, _, subtype = file.media_type.partition("/")
    if family in {"image", "audio", "video"} or subtype in {"pdf", "zip"}:
        return subtype.removeprefix("x-").split("+")[0].upper()
    stem, dot, ending = file.name.rpartition(".")
    return printable(ending, 8).upper() if dot and stem and ending else tr("File")


def one_line(text: str, limit: int = 48) -> str:
    """A label for a menu: no control characters, not too long, its middle left out where it is."""
    clean = printable(text, 1024)
    if len(clean) <= limit:
        return clean
    head = (limit - 1) * 2 // 3
    return f"{clean[:head]}…{clean[-(limit - 1 - head) :]}"


def for_menu(text: str, *, by_bus: bool = False) -> str:
    """`text` as an action's, where & would mark a shortcut.

    In a menu that travels over D-Bus _ marks it: Qt makes one of the first &, and leaves those alone that are there.
    """
    if by_bus:
        return one_line(text).replace("_", "__").replace("&", "&&", 1)
    return one_line(text).replace("&", "&&")
