"""One key combination, and nothing else: the door of the hotkey room.

No backend listens to the keyboard. Each asks its system for exactly one
combination and is told when that one is pressed; every other key stays unseen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from seedshot_desktop.errors import HotkeyError, HotkeyTakenError
from seedshot_desktop.hotkey.combo import DEFAULT_COMBO, Combo, Modifier, parse_combo, switches_console

__all__ = [
    "DEFAULT_COMBO",
    "Combo",
    "Hotkey",
    "HotkeyError",
    "HotkeyTakenError",
    "Modifier",
    "check_combo",
    "open_hotkey",
    "parse_combo",
    "unavailable_reason",
]

_INSTEAD = "Bind `seedshot capture region` to a key in the desktop's own keyboard settings instead."


class Hotkey(Protocol):
    """A combination that is held until it is closed."""

    @property
    def combo(self) -> Combo:
        """What is held."""

    def close(self) -> None:
        """Give the combination back; closing twice does nothing."""


def unavailable_reason(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> str:
    """A sentence on why no hotkey can be held here and what to do, or "" where one can be tried."""
    if platform in ("win32", "cygwin"):
        return f"Seedshot cannot hold a hotkey on Windows yet. {_INSTEAD}"
    if platform == "darwin":
        return f"Seedshot cannot hold a hotkey on macOS yet. {_INSTEAD}"
    if environ.get("WAYLAND_DISPLAY"):
        return f"Under Wayland only the desktop itself can hold a hotkey. {_INSTEAD}"
    if not environ.get("DISPLAY"):
        return "There is no display here that a hotkey could be held on. Share files with `seedshot share FILE`."
    return ""


def check_combo(combo: Combo, platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> None:
    """Raises HotkeyError where this desktop would never tell anybody that `combo` was pressed."""
    if not unavailable_reason(platform, environ) and switches_console(combo):
        raise HotkeyError(
            f"{combo} never reaches a program: the display itself changes to a text console with it. "
            f"Choose another hotkey, for example {DEFAULT_COMBO}."
        )


def open_hotkey(
    combo: Combo,
    on_press: Callable[[], None],
    on_lost: Callable[[HotkeyError], None] | None = None,
) -> Hotkey:
    """Hold `combo` from now on; call it on the thread of a running asyncio loop.

    `on_press` is called on that loop at each press. `on_lost` is called at most
    once, when the combination cannot be held any longer: the display went away,
    or, after a keyboard layout change, another program has it.

    Raises HotkeyTakenError where another program holds the combination, and
    HotkeyError where this desktop offers no way.
    """
    reason = unavailable_reason()
    if reason:
        raise HotkeyError(reason)
    check_combo(combo)
    from seedshot_desktop.hotkey.x11 import X11Hotkey  # noqa: PLC0415  libxcb exists only where X11 does

    return X11Hotkey(combo, on_press, on_lost)
