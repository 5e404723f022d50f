"""A question with one deed to agree to or to leave, and a word that there is nothing to choose about."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from seedshot_desktop.ui.pieces import Button, label

_WIDTH = 380


class Explanation(QDialog):
    """Says why something cannot be done. Open it; Enter, Esc and its button close it."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _arrange(self, title, text, Button(self.tr("Close"), self.reject))


class Question(QDialog):
    """Open it; accepted means that the deed is wanted. Enter and Esc leave."""

    def __init__(self, title: str, text: str, deed: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _arrange(self, title, text, Button(self.tr("Cancel"), self.reject), Button(deed, self.accept, role="danger"))


def _arrange(dialog: QDialog, title: str, text: str, leave: Button, *deeds: Button) -> None:
    dialog.setWindowTitle(title)
    leave.setDefault(True)
    buttons = QHBoxLayout()
    buttons.setSpacing(8)
    buttons.addStretch()
    for button in (*deeds, leave):
        buttons.addWidget(button)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(22, 20, 22, 18)
    layout.setSpacing(8)
    layout.addWidget(label(title, "title"))
    layout.addWidget(label(text, "muted", wrap=True))
    layout.addSpacing(14)
    layout.addLayout(buttons)
    dialog.setMinimumWidth(_WIDTH)
    leave.setFocus()
