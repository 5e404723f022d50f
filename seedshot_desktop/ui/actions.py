"""What a person can do, wherever it is offered: tray, windows and menus all call these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actions:
    """One callable for each deed; each returns at once, and says itself what went wrong."""

    capture: Callable[[str], None]
    """Take ``region``, ``screen`` (the monitor under the pointer) or ``all``."""
    choose_files: Callable[[], None]
    """Ask for files, and share them."""
    share_files: Callable[[Sequence[str]], None]
    """Share the files at these absolute paths, after asking for their limits."""
    copy_link: Callable[[str], None]
    """Put a share's link on the clipboard."""
    open_link: Callable[[str], None]
    """Open a share's link in this computer's browser."""
    change_limits: Callable[[str], None]
    """Ask for new limits of a share."""
    revoke: Callable[[str], None]
    """End a share."""
    revoke_all: Callable[[], None]
    dismiss: Callable[[str, str], None]
    """Send one viewer (share, viewer) away."""
    show_shares: Callable[[], None]
    show_settings: Callable[[], None]
    quit: Callable[[], None]
