"""A field that records one key combination, in the words that the hotkey room reads: ``Ctrl+Shift+2``."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit, QWidget

_MODIFIERS = (
    (Qt.KeyboardModifier.ControlModifier, "Ctrl"),
    (Qt.KeyboardModifier.AltModifier, "Alt"),
    (Qt.KeyboardModifier.ShiftModifier, "Shift"),
    (Qt.KeyboardModifier.MetaModifier, "Super"),
)
_MODIFIER_KEYS = {
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
    Qt.Key.Key_AltGr: Qt.KeyboardModifier.AltModifier,
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Meta: Qt.KeyboardModifier.MetaModifier,
    Qt.Key.Key_Super_L: Qt.KeyboardModifier.MetaModifier,
    Qt.Key.Key_Super_R: Qt.KeyboardModifier.MetaModifier,
}
_NAMES = {
    Qt.Key.Key_Print: "Print",
    Qt.Key.Key_SysReq: "Print",  # what Alt makes of it
    Qt.Key.Key_Pause: "Pause",
    Qt.Key.Key_ScrollLock: "ScrollLock",
    Qt.Key.Key_Space: "Space",
    Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Backtab: "Tab",
    Qt.Key.Key_Return: "Enter",
    Qt.Key.Key_Enter: "Enter",
    Qt.Key.Key_Backspace: "Backspace",
    Qt.Key.Key_Insert: "Insert",
    Qt.Key.Key_Delete: "Delete",
    Qt.Key.Key_Home: "Home",
    Qt.Key.Key_End: "End",
    Qt.Key.Key_PageUp: "PageUp",
    Qt.Key.Key_PageDown: "PageDown",
    Qt.Key.Key_Left: "Left",
    Qt.Key.Key_Right: "Right",
    Qt.Key.Key_Up: "Up",
    Qt.Key.Key_Down: "Down",
    Qt.Key.Key_Plus: "Plus",
}
_PUNCTUATION = "-=[]\\;',./`"
_EVDEV_DIGITS = {10 + place: digit for place, digit in enumerate("1234567890")}
"""X11's codes of the digit row, the same under every layout: with Shift held, Qt only tells what it prints."""
_EVDEV_PUNCTUATION = dict(zip((20, 21, 34, 35, 51, 47, 48, 59, 60, 61, 49), _PUNCTUATION, strict=True))
"""The same for the marks of the US layout, where Shift prints another one."""


class HotkeyField(QLineEdit):
    """Shows a combination; while it has the focus, the next keys that are pressed become the new one."""

    recorded = Signal(str)
    """A whole combination was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAccessibleName(self.tr("Hotkey"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._combo = ""

    @property
    def combo(self) -> str:
        """What is shown when nobody is pressing keys."""
        return self._combo

    def set_combo(self, combo: str) -> None:
        """Show `combo`."""
        self._combo = combo
        self.setText(combo)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A click or Space begins to record; coming by with Tab does not."""
        super().focusInEvent(event)
        if event.reason() == Qt.FocusReason.MouseFocusReason:
            self._listen()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Given up."""
        super().focusOutEvent(event)
        self._listen(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin."""
        super().mousePressEvent(event)
        self._listen()

    def event(self, event: QEvent) -> bool:
        """Shortcuts and Tab are keys like any other while they are recorded."""
        if self._listening() and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            self._hear(event)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space or Enter begins to record."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._listen()
        else:
            super().keyPressEvent(event)

    def _listening(self) -> bool:
        return self.property("recording") is True

    def _listen(self, on: bool = True) -> None:
        if on == self._listening():
            return
        self.setProperty("recording", on)
        self.setText("" if on else self._combo)
        self.setPlaceholderText(self.tr("Press the keys, Esc keeps the old ones") if on else "")

    def _hear(self, event: QKeyEvent) -> None:
        own = _MODIFIER_KEYS.get(Qt.Key(event.key()), Qt.KeyboardModifier.NoModifier)
        pressed = event.type() == QEvent.Type.KeyPress
        if own != Qt.KeyboardModifier.NoModifier:
            # X11 gives the state from before the event, other systems that from after it
            held = event.modifiers() | own if pressed else event.modifiers() & ~own
            self.setText("".join(f"{name}+" for name in _names_of(held)))
        elif pressed:
            self._press(event)

    def _press(self, event: QKeyEvent) -> None:
        held = _names_of(event.modifiers())
        if event.key() == Qt.Key.Key_Escape and not held:
            self._listen(False)
        elif name := key_name(event):
            self._combo = "+".join([*held, name])
            self._listen(False)
            self.recorded.emit(self._combo)


def _names_of(held: Qt.KeyboardModifier) -> list[str]:
    """The modifiers, in the order in which they are written."""
    return [name for flag, name in _MODIFIERS if held & flag]


def key_name(event: QKeyEvent) -> str:
    """The key of `event` without its modifiers, or "" where it has no name that a hotkey could use."""
    key = event.key()
    if name := _NAMES.get(Qt.Key(key)):
        return name
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F24:
        return f"F{key - Qt.Key.Key_F1 + 1}"
    character = chr(key) if 0x20 < key < 0x7F else ""
    if character and (character.isalnum() or character in _PUNCTUATION):
        return character.upper()
    return _by_code(event.nativeScanCode()) if sys.platform.startswith("linux") else _by_virtual_key(event)


def _by_code(code: int) -> str:
    return _EVDEV_DIGITS.get(code) or _EVDEV_PUNCTUATION.get(code, "")


def _by_virtual_key(event: QKeyEvent) -> str:
    """Windows and macOS give the digit row its digits whatever Shift makes of them."""
    character = chr(event.nativeVirtualKey())
    return character if character.isascii() and character.isdecimal() else ""
