"""What a window without shares shows: how to make one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from seedshot_desktop.ui import icons, theme
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.pieces import Button, label


class EmptyPage(QWidget):
    """Teaches the hotkey, and takes files."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._dropping = False
        self._keys = KeyCaps()
        self._lead = label("", "title")
        picture = QLabel()
        picture.setPixmap(icons.pixmap("seedshot", "", 72, self.devicePixelRatioF()))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(Button(self.tr("Share files…"), actions.choose_files, icon="file"))
        buttons.addWidget(Button(self.tr("Capture screen"), lambda: actions.capture("screen"), icon="screen"))
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(2)
        for widget in (
            picture,
            self._lead,
            self._keys,
            self._line(self.tr("Drag over a part of the screen, and paste the link wherever you like.")),
            self._line(self.tr("The picture stays on this computer and is gone when you revoke it or quit.")),
        ):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(10)
        layout.addLayout(buttons)
        layout.addWidget(self._line(self.tr("or drop files here")), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self.set_hotkey("")

    def set_hotkey(self, combo: str) -> None:
        """The combination to teach; "" where none can be held."""
        self._lead.setText(self.tr("Press") if combo else self.tr("Nothing is shared"))
        self._keys.set_keys(combo.split("+") if combo else [])

    def set_dropping(self, dropping: bool) -> None:
        """Files hover over the window."""
        self._dropping = dropping
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame while files hover."""
        if self._dropping:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.tokens().accent), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(self.rect().adjusted(2, 2, -3, -3), 12, 12)
            painter.end()

    def _line(self, text: str) -> QLabel:
        return label(text, "muted")


class KeyCaps(QWidget):
    """A combination of keys, drawn as keys."""

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 2, 0, 4)
        self._row.setSpacing(6)

    def set_keys(self, keys: list[str]) -> None:
        """Draw `keys`."""
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for key in keys:
            self._row.addWidget(label(key, "key"))
        self.setAccessibleName("+".join(keys))
        self.setVisible(bool(keys))
