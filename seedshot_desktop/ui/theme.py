"""The app's colours, light and dark, and the style sheet made of them.

On Linux Qt's own Fusion style is tuned, since no desktop's style comes with the
PySide6 wheels; Windows and macOS keep theirs and get only the app's cards and
coloured buttons.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from seedshot_desktop.ui import icons


@dataclass(frozen=True)
class Tokens:
    """One scheme's colours, as #rrggbb. Text on its ground has a contrast of 4.5 or more (WCAG AA)."""

    window: str
    """Behind everything."""
    base: str
    """Cards, lists, input fields."""
    raised: str
    """Buttons, tooltips."""
    hover: str
    selected: str
    """The ground of a chosen line."""
    border: str
    track: str
    """What a progress bar has not filled."""
    text: str
    muted: str
    """Second lines."""
    faint: str
    """What cannot be used, and what is only a hint."""
    accent: str
    accent_hover: str
    on_accent: str
    """Text on accent."""
    live: str
    """Somebody is looking."""
    danger: str
    danger_ground: str
    warning: str
    warning_ground: str


LIGHT = Tokens(
    window="#f5f7f5",
    base="#ffffff",
    raised="#ffffff",
    hover="#eef2ef",
    selected="#e0f1e6",
    border="#d5dcd7",
    track="#e2e8e4",
    text="#18211b",
    muted="#566159",
    faint="#6d7871",
    accent="#15803d",
    accent_hover="#126b34",
    on_accent="#ffffff",
    live="#1d56d8",
    danger="#b42318",
    danger_ground="#fdecea",
    warning="#7a4d05",
    warning_ground="#fff4d6",
)
DARK = Tokens(
    window="#151917",
    base="#1c211e",
    raised="#262d29",
    hover="#28302b",
    selected="#1f3a2a",
    border="#37413b",
    track="#343e38",
    text="#e7ede9",
    muted="#a3b0a8",
    faint="#7f8b84",
    accent="#3fb96b",
    accent_hover="#58c97f",
    on_accent="#06200f",
    live="#6ea8fe",
    danger="#ff8a80",
    danger_ground="#3a1f1d",
    warning="#f0c25a",
    warning_ground="#352b12",
)


def tokens() -> Tokens:
    """The colours of the scheme that the desktop has now, or that SEEDSHOT_COLORS names: ``light`` or ``dark``.

    A bare window manager has no scheme that it could tell.
    """
    wanted = {"light": LIGHT, "dark": DARK}.get(os.environ.get("SEEDSHOT_COLORS", ""))
    system = DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return wanted or system


def apply(application: QApplication) -> None:
    """Dress the application, now and whenever the desktop changes between light and dark."""
    if sys.platform.startswith("linux"):
        application.setStyle("Fusion")
    _dress(application)
    application.styleHints().colorSchemeChanged.connect(lambda: _dress(application))


def changed(redraw: Callable[[], None]) -> None:
    """Call `redraw`, a method of a QObject, now, and after each change of the colours while that object lives."""
    redraw()
    QGuiApplication.styleHints().colorSchemeChanged.connect(redraw)


def _dress(application: QApplication) -> None:
    colours = tokens()
    if sys.platform.startswith("linux"):
        application.setPalette(_palette(colours))
    application.setStyleSheet(_sheet(colours))


def _palette(colours: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.base,
        role.AlternateBase: colours.hover,
        role.Text: colours.text,
        role.Button: colours.raised,
        role.ButtonText: colours.text,
        role.BrightText: colours.on_accent,
        role.PlaceholderText: colours.faint,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.text,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
        role.Accent: colours.accent,
        role.Mid: colours.border,
        role.Light: colours.raised,
        role.Midlight: colours.hover,
        role.Dark: colours.border,
        role.Shadow: colours.border,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.faint))
    return palette


def _sheet(colours: Tokens) -> str:
    template = _CARDS + (_CONTROLS if sys.platform.startswith("linux") else "")
    return Template(template).substitute(
        {name: getattr(colours, name) for name in Tokens.__dataclass_fields__},
        down=icons.path("chevron-down").as_posix(),
        up=icons.path("chevron-up").as_posix(),
        tick=icons.path("tick").as_posix(),
    )


_CARDS = """
QFrame#card { background: $base; border: 1px solid $border; border-radius: 10px; }
QLabel#title { font-size: 15pt; font-weight: 600; }
QLabel#heading { font-weight: 600; }
QLabel#muted { color: $muted; }
QLabel#error { color: $danger; }
QFrame#banner { background: $warning_ground; border: none; border-radius: 8px; }
QFrame#banner QLabel { color: $warning; }
QPushButton#primary { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton#primary:hover, QPushButton#primary:focus { background: $accent_hover; }
QPushButton#danger { color: $danger; }
QPushButton#danger:hover { background: $danger_ground; border-color: $danger; }
QLabel#key {
  background: $raised; border: 1px solid $border; border-bottom-width: 3px; border-radius: 7px; padding: 5px 11px;
  font-size: 13pt; font-weight: 600;
}
QPushButton#danger:disabled { color: $faint; border-color: $border; background: $window; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QListView#plain { background: transparent; border: none; outline: none; }
"""

_CONTROLS = """
QPushButton {
  background: $raised; color: $text; border: 1px solid $border; border-radius: 7px; padding: 6px 12px; min-height: 18px;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $selected; }
QPushButton:focus { border: 2px solid $accent; padding: 5px 11px; }
QPushButton:disabled { color: $faint; background: $window; }
QToolButton { border: 1px solid transparent; border-radius: 7px; padding: 5px; background: transparent; color: $text; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $selected; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $faint; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {
  background: $base; color: $text; border: 1px solid $border; border-radius: 7px; padding: 5px 8px; min-height: 18px;
  selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit { placeholder-text-color: $faint; }
QLineEdit:focus, QSpinBox:focus, QComboBox:focus { border: 2px solid $accent; padding: 4px 7px; }
QComboBox:!editable { padding-left: 10px; }
QComboBox:!editable:focus { padding-left: 9px; }
QLineEdit[invalid="true"], QSpinBox[invalid="true"], QComboBox[invalid="true"] { border-color: $danger; }
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled { color: $faint; background: $window; }
QSpinBox QLineEdit, QSpinBox QLineEdit:focus { border: none; background: transparent; padding: 0; min-height: 0; }
QSpinBox { padding: 4px 0; }
QSpinBox:focus { padding: 3px 0; }
QSpinBox::up-button, QSpinBox::down-button { border: none; width: 20px; background: transparent; }
QSpinBox::up-arrow { image: url($up); width: 10px; height: 10px; }
QSpinBox::down-arrow { image: url($down); width: 10px; height: 10px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url($down); width: 10px; height: 10px; }
QComboBox QAbstractItemView {
  background: $raised; border: 1px solid $border; padding: 4px; outline: none;
  selection-background-color: $selected; selection-color: $text;
}
QCheckBox, QRadioButton { spacing: 8px; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $faint; border-radius: 4px; background: $base; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($tick); }
QCheckBox::indicator:focus { border: 2px solid $accent; }
QMenu { background: $raised; color: $text; border: 1px solid $border; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 10px; border-radius: 5px; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $selected; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $border; margin: 5px 6px; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar::handle:vertical { background: $border; border-radius: 3px; min-height: 28px; }
QScrollBar::handle:vertical:hover { background: $faint; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle:horizontal { background: $border; border-radius: 3px; min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: transparent; }
"""
