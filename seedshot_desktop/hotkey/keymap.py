"""Which physical key, and which modifier bits, a combination means on the keyboard as it is now (pure)."""

from __future__ import annotations

from seedshot_desktop.hotkey.combo import Combo, Modifier
from seedshot_desktop.hotkey.xcb import Keymap

LOCK_MASK = 1 << 1
"""CapsLock is always bit 1, whatever key sets it."""
_SHIFT_MASK = 1 << 0
_CONTROL_MASK = 1 << 2

# keysymdef.h
_NUM_LOCK = 0xFF7F
_SCROLL_LOCK = 0xFF14
_ALT = (0xFFE9, 0xFFEA)
_META = (0xFFE7, 0xFFE8)
_SUPER = (0xFFEB, 0xFFEC)
_HYPER = (0xFFED, 0xFFEE)
_WORDS = {
    "Print": (0xFF61, 0xFF15),  # and Sys_Req, which Alt makes of the same key
    "Pause": (0xFF13, 0xFF6B),  # and Break
    "ScrollLock": (_SCROLL_LOCK,),
    "Space": (0x20,),
    "Tab": (0xFF09,),
    "Enter": (0xFF0D,),
    "Backspace": (0xFF08,),
    "Insert": (0xFF63,),
    "Delete": (0xFFFF,),
    "Home": (0xFF50,),
    "End": (0xFF57,),
    "PageUp": (0xFF55,),
    "PageDown": (0xFF56,),
    "Left": (0xFF51,),
    "Up": (0xFF52,),
    "Right": (0xFF53,),
    "Down": (0xFF54,),
    "Plus": (0x2B,),
}
_F1 = 0xFFBE

_US_ROWS = {10: "1234567890-=", 24: "QWERTYUIOP[]", 38: "ASDFGHJKL;'`", 51: "\\ZXCVBNM,./"}
"""Key codes of evdev keyboards and what a US keyboard prints on them."""
_US_POSITIONS = {key: first + i for first, row in _US_ROWS.items() for i, key in enumerate(row)}


def find_keycode(keymap: Keymap, key: str) -> int | None:
    """The key code of `key`, or None where this keyboard has no such key.

    The first group is looked through before the shifted symbols and the other
    groups, so a key means what the first layout prints on it. A layout without
    Latin letters (Russian, Greek, …) leaves the key where a US keyboard has it.
    """
    wanted = _keysyms(key)
    columns = max((len(row) for row in keymap.keysyms), default=0)
    for keysym in wanted:
        for column in range(columns):
            for offset, row in enumerate(keymap.keysyms):
                if row[column] == keysym:
                    return keymap.first_keycode + offset
    return _US_POSITIONS.get(key)


def modifier_mask(keymap: Keymap, combo: Combo) -> int | None:
    """The X modifier bits of the combination, or None where this keyboard has no such modifier."""
    mask = 0
    if Modifier.SHIFT in combo.modifiers:
        mask |= _SHIFT_MASK
    if Modifier.CTRL in combo.modifiers:
        mask |= _CONTROL_MASK
    for modifier, families in ((Modifier.ALT, (_ALT, _META)), (Modifier.SUPER, (_SUPER, _HYPER))):
        if modifier in combo.modifiers:
            bit = _first_bit(keymap, families)
            if not bit:
                return None
            mask |= bit
    return mask


def lock_masks(keymap: Keymap) -> list[int]:
    """Every combination of the locks under which a hotkey still has to work; the first is none of them."""
    locks = [LOCK_MASK]
    for keysym in (_NUM_LOCK, _SCROLL_LOCK):
        bit = _bit_of(keymap, (keysym,))
        if bit and bit not in locks:
            locks.append(bit)
    masks = [0]
    for lock in locks:
        masks += [mask | lock for mask in masks]
    return masks


def _first_bit(keymap: Keymap, families: tuple[tuple[int, ...], ...]) -> int:
    """The bit of the first family that has one: Alt before Meta, Super before Hyper."""
    return next((bit for family in families if (bit := _bit_of(keymap, family))), 0)


def _bit_of(keymap: Keymap, keysyms: tuple[int, ...]) -> int:
    """The modifier bit that a key with one of the symbols sets, or 0; Shift, Lock and Control have fixed bits."""
    for index, keycodes in enumerate(keymap.modifiers):
        if index >= 3 and any(_has(keymap, keycode, keysyms) for keycode in keycodes):
            return 1 << index
    return 0


def _has(keymap: Keymap, keycode: int, keysyms: tuple[int, ...]) -> bool:
    row = keycode - keymap.first_keycode
    return 0 <= row < len(keymap.keysyms) and any(keysym in keymap.keysyms[row] for keysym in keysyms)


def _keysyms(key: str) -> tuple[int, ...]:
    if key in _WORDS:
        return _WORDS[key]
    if len(key) > 1:
        return (_F1 + int(key[1:]) - 1,)
    return (ord(key.lower()),)  # Latin-1 keysyms are their character codes
