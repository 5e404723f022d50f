"""A share's link as a QR code, for a phone in the same network."""

from __future__ import annotations

import segno
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from seedshot_desktop.ui import words
from seedshot_desktop.ui.pieces import label

_QUIET = 4
"""Modules of white around the code (ISO/IEC 18004, section 9.1)."""
_MODULE = 6


class QrDialog(QDialog):
    """Open it; it closes by itself when the share ends (``reject``)."""

    def __init__(self, name: str, link: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("QR code"))
        title = label(words.one_line(name), "heading")
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        hint = label(self.tr("Scan it with a phone that reaches this computer."), "muted", wrap=True)
        hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(QrCode(link), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(hint)
        layout.addWidget(buttons)


class QrCode(QWidget):
    """The code itself: whole pixels a module, black on white in light and in dark."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self._rows = [bytes(row) for row in segno.make(link, error="m", micro=False).matrix]
        side = (len(self._rows) + 2 * _QUIET) * _MODULE
        self.setFixedSize(QSize(side, side))
        self.setAccessibleName(self.tr("QR code of the link"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """White, then every black module."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        black = QColor("black")
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect((x + _QUIET) * _MODULE, (y + _QUIET) * _MODULE, _MODULE, _MODULE, black)
        painter.end()
