"""Holds one combination on an X11 desktop with passive grabs on the root window.

The grabs work in every workspace and whichever window has the focus. A press
while another program holds the whole keyboard (an open menu does) is not
delivered: the X server decides that, not we.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from seedshot_desktop.errors import HotkeyError, HotkeyTakenError
from seedshot_desktop.hotkey import xcb
from seedshot_desktop.hotkey.combo import Combo
from seedshot_desktop.hotkey.keymap import find_keycode, lock_masks, modifier_mask
from seedshot_desktop.x_connection import XError

Grab = tuple[int, int]
"""Key code, modifier mask."""


class X11Hotkey:
    """A combination held on the X server; made by ``open_hotkey``."""

    def __init__(
        self,
        combo: Combo,
        on_press: Callable[[], None],
        on_lost: Callable[[HotkeyError], None] | None = None,
    ) -> None:
        self._combo = combo
        self._on_press = on_press
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._grabs: list[Grab] = []
        self._connection = _connect()
        try:
            self._grab()
        except BaseException:
            self._connection.close()
            raise
        self._fileno = self._connection.fileno
        self._closed = False
        self._loop.add_reader(self._fileno, self._read)
        # Replies may have brought events along, which the descriptor will not announce again.
        self._loop.call_soon(self._read)

    @property
    def combo(self) -> Combo:
        """What is held."""
        return self._combo

    def close(self) -> None:
        """Give the combination back; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fileno)
        self._connection.close()

    def _read(self) -> None:
        """Handle what has come; the mapping is read once for all its announcements."""
        remapped = False
        while not self._closed and (event := self._connection.next_event()):
            if event.kind == xcb.KEY_PRESS:
                self._pressed()
            remapped |= event.kind == xcb.MAPPING_NOTIFY and event.mapping != xcb.MAPPING_POINTER
        if self._closed:
            return
        if self._connection.broken:
            self._lose(_display_gone())
        elif remapped:
            self._regrab()

    def _pressed(self) -> None:
        """One press, and the server's keyboard grab that came with it.

        The grab is ended at once: while it lasted, keys that are none of our
        business would be sent here, and the overlay could not have the keyboard.
        (So nobody tells us when the key is let go; one that is held and held
        presses again and again, until the overlay takes the keyboard.)
        """
        self._connection.release_keyboard()
        self._on_press()

    def _regrab(self) -> None:
        """Follow a changed keyboard; what is held already is never let go in between."""
        try:
            self._grab()
        except HotkeyError as error:
            self._lose(error)
            return
        self._loop.call_soon(self._read)

    def _grab(self) -> None:
        try:
            wanted = self._wanted(self._connection.keymap())
            error = self._connection.grab_keys([grab for grab in wanted if grab not in self._grabs])
            if error:
                raise _refused(self._combo, error)
            self._connection.ungrab_keys([grab for grab in self._grabs if grab not in wanted])
        except XError:
            raise _display_gone() from None
        self._grabs = wanted

    def _wanted(self, keymap: xcb.Keymap) -> list[Grab]:
        """The combination under every state of the locks."""
        keycode = find_keycode(keymap, self._combo.key)
        mask = modifier_mask(keymap, self._combo)
        if keycode is None or mask is None:
            raise HotkeyError(
                f"This keyboard has no {self._combo.key if keycode is None else 'such modifier'} "
                f"for the hotkey {self._combo}. Choose another one in the settings."
            )
        return [(keycode, mask | lock) for lock in lock_masks(keymap)]

    def _lose(self, error: HotkeyError) -> None:
        self.close()
        if self._on_lost:
            self._on_lost(error)


def _connect() -> xcb.Connection:
    try:
        return xcb.Connection()
    except XError as error:
        raise HotkeyError(
            f"The hotkey cannot be held, because {error}. "
            "Bind `seedshot capture region` to a key in the desktop's own keyboard settings instead."
        ) from None


def _refused(combo: Combo, code: int) -> HotkeyError:
    if code == xcb.BAD_ACCESS:
        return HotkeyTakenError(
            f"{combo} is held by another program. Free it there, or choose another hotkey in the settings."
        )
    return HotkeyError(f"The display refused the hotkey {combo} (X error {code}). Choose another one in the settings.")


def _display_gone() -> HotkeyError:
    return HotkeyError("The hotkey is lost, because the connection to the display broke. Start Seedshot again.")
