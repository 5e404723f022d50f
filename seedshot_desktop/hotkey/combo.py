"""Key combinations as people write them: parse and print, nothing else (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from seedshot_desktop.errors import HotkeyError

DEFAULT_COMBO = "Ctrl+Shift+2"
"""Free on the desktops we know; Print belongs to the desktop's own tool on most of them."""


class Modifier(IntFlag):
    """The keys that are held while another is pressed, in the order in which they are written."""

    CTRL = 1
    ALT = 2
    SHIFT = 4
    SUPER = 8


_MODIFIERS = {
    "ctrl": Modifier.CTRL,
    "control": Modifier.CTRL,
    "strg": Modifier.CTRL,
    "alt": Modifier.ALT,
    "option": Modifier.ALT,
    "shift": Modifier.SHIFT,
    "super": Modifier.SUPER,
    "meta": Modifier.SUPER,
    "win": Modifier.SUPER,
    "windows": Modifier.SUPER,
    "cmd": Modifier.SUPER,
    "command": Modifier.SUPER,
}

_KEYS = {
    "print": "Print",
    "printscreen": "Print",
    "prtsc": "Print",
    "prtscr": "Print",
    "sysrq": "Print",
    "pause": "Pause",
    "scrolllock": "ScrollLock",
    "space": "Space",
    "tab": "Tab",
    "enter": "Enter",
    "return": "Enter",
    "backspace": "Backspace",
    "insert": "Insert",
    "ins": "Insert",
    "delete": "Delete",
    "del": "Delete",
    "home": "Home",
    "end": "End",
    "pageup": "PageUp",
    "pgup": "PageUp",
    "pagedown": "PageDown",
    "pgdn": "PageDown",
    "left": "Left",
    "right": "Right",
    "up": "Up",
    "down": "Down",
    "plus": "Plus",
}
"""Words for keys, lower case, and the word that is written back."""

_PUNCTUATION = frozenset("-=[]\\;',./`")
_ALONE = frozenset({"Print", "Pause", "ScrollLock"})
_CONSOLES = 12
"""Ctrl+Alt+F1 to F12."""
_EXAMPLES = "Write it like Ctrl+Shift+2, Super+S or Print."


@dataclass(frozen=True)
class Combo:
    """One combination; ``str()`` gives its canonical form, which ``parse_combo`` reads back."""

    modifiers: Modifier
    key: str
    """An upper-case letter, a digit, a punctuation mark, ``F1`` to ``F24``, or a word of ``KEY_WORDS``."""

    def __str__(self) -> str:
        """Modifiers in a fixed order, then the key: ``Ctrl+Alt+Shift+Super+K``."""
        held = [name.name.capitalize() for name in Modifier if name in self.modifiers and name.name]
        return "+".join([*held, self.key])


KEY_WORDS = frozenset(_KEYS.values())
"""Every key that is named by a word."""


def parse_combo(text: str) -> Combo:
    """The combination that `text` names, in any case and order; raises HotkeyError with what is wrong.

    A modifier is required except for function keys, Print, Pause and ScrollLock:
    whoever grabs a bare letter takes it away from every program.
    """
    parts = _split(text)
    if not any(parts):
        raise HotkeyError(f"The hotkey is empty. {_EXAMPLES}")
    modifiers, keys = _sort(parts, text)
    if not keys:
        raise HotkeyError(f"The hotkey “{text.strip()}” names no key besides its modifiers. {_EXAMPLES}")
    if len(keys) > 1:
        raise HotkeyError(f"The hotkey “{text.strip()}” names more than one key: {' and '.join(keys)}. {_EXAMPLES}")
    _require_modifier(modifiers, keys[0])
    return Combo(modifiers, keys[0])


def switches_console(combo: Combo) -> bool:
    """Whether an X server takes `combo` for itself, to change to another virtual console: nobody is ever told of it.

    xkeyboard-config, types/pc, type CTRL+ALT: Shift makes another key of it, Super makes no difference.
    """
    held = combo.modifiers & ~Modifier.SUPER
    is_function = combo.key[0] == "F" and combo.key[1:].isdigit()
    return is_function and int(combo.key[1:]) <= _CONSOLES and held == Modifier.CTRL | Modifier.ALT


def _split(text: str) -> list[str]:
    """The parts between plus signs; a plus sign at the end is the key itself."""
    text = text.strip()
    if text in ("+", "++") or text.endswith("++"):
        text = text.rstrip("+") + "+Plus"
    return [part.strip() for part in text.split("+") if part.strip()]


def _sort(parts: list[str], text: str) -> tuple[Modifier, list[str]]:
    modifiers, keys = Modifier(0), []
    for part in parts:
        modifier = _MODIFIERS.get(part.lower())
        if modifier is None:
            keys.append(_key(part, text))
        elif modifier in modifiers:
            raise HotkeyError(f"The hotkey “{text.strip()}” names {part} twice. {_EXAMPLES}")
        else:
            modifiers |= modifier
    return modifiers, keys


def _key(part: str, text: str) -> str:
    """The canonical name of one key."""
    if len(part) == 1 and part.isascii() and (part.isalnum() or part in _PUNCTUATION):
        return part.upper()
    word = _KEYS.get(part.lower().replace(" ", "").replace("_", ""))
    if word:
        return word
    number = part[1:]
    if part[0] in "fF" and number.isascii() and number.isdigit() and 1 <= int(number) <= 24:
        return f"F{int(number)}"
    raise HotkeyError(f"The hotkey “{text.strip()}” names no key that Seedshot knows: “{part}”. {_EXAMPLES}")


def _require_modifier(modifiers: Modifier, key: str) -> None:
    if key in _ALONE or (len(key) > 1 and key[0] == "F"):
        return
    if modifiers & ~Modifier.SHIFT:
        return
    held = "only Shift" if modifiers else "no modifier"
    raise HotkeyError(
        f"The hotkey {Combo(modifiers, key)} has {held}, so it would take that key away from every program. "
        f"Add Ctrl, Alt or Super, for example Ctrl+{Combo(modifiers, key)}."
    )
