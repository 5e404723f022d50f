"""A question with one deed to agree to or to leave."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from seedshot_desktop.ui.pieces import Button, label

_WIDTH = 380


class Question(QDialog):
    """Open it; accepted means that the deed is wanted. Enter and Esc leave."""

    def __init__(self, title: str, text: str, deed: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        cancel = Button(self.tr("Cancel"), self.reject)
        cancel.setDefault(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(Button(deed, self.accept, role="danger"))
        buttons.addWidget(cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 18)
        layout.setSpacing(8)
        layout.addWidget(label(title, "title"))
        layout.addWidget(label(text, "muted", wrap=True))
        layout.addSpacing(14)
        layout.addLayout(buttons)
        self.setMinimumWidth(_WIDTH)
        cancel.setFocus()
