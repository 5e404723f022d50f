"""When a share ends by itself: the two questions, for new shares and for living ones."""

from __future__ import annotations

import time

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from seedshot_desktop.quantities import parse_duration
from seedshot_desktop.seed.messages import Limits
from seedshot_desktop.ui import words
from seedshot_desktop.ui.book import Item
from seedshot_desktop.ui.pieces import label, name_of

_TIMES_S = (60, 600, 3600, 24 * 3600, 7 * 24 * 3600)
_VIEWS = (1, 2, 5, 10, 100)
_MOST_VIEWS = 1_000_000


class LimitsDialog(QDialog):
    """Asks for an end by time and an end by views. Open it; read ``limits`` when it was accepted."""

    def __init__(
        self, title: str, detail: str, limits: Limits, item: Item | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._item = item
        self._expires = ExpiryField(_left(limits, item))
        self._views = ViewsField(limits.max_views, item.status.views if item else 0)
        self._error = label(role="error", wrap=True)
        self._error.hide()
        self._arrange(title, detail, self.tr("Share") if item is None else self.tr("Apply"))

    def limits(self) -> Limits:
        """What was asked for; times count from the share's start. Raises ValueError with a sentence."""
        seconds = self._expires.seconds()
        if seconds is not None and self._item is not None:
            seconds += max(0.0, time.time() - self._item.status.created_at)
        return Limits(expires_s=seconds, max_views=self._views.views())

    def accept(self) -> None:
        """Close, but only on what can be understood."""
        try:
            self.limits()
        except ValueError as error:
            self._error.setText(str(error))
            self._error.show()
            return
        super().accept()

    def _arrange(self, title: str, detail: str, deed: str) -> None:
        heading = label(title, "title")
        what = label(detail, "muted", wrap=True)
        what.setVisible(bool(detail))
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(14)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(name_of(self._expires, self.tr("Ends &after")), self._expires)
        form.addRow(name_of(self._views, self.tr("Ends after &views")), self._views)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        button = buttons.addButton(deed, QDialogButtonBox.ButtonRole.AcceptRole)
        button.setObjectName("primary")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 18)
        layout.setSpacing(8)
        for widget in (heading, what):
            layout.addWidget(widget)
        layout.addSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self._error)
        layout.addSpacing(10)
        layout.addWidget(buttons)
        self.setMinimumWidth(400)


class ExpiryField(QComboBox):
    """A length of time, chosen or typed like ``90s``, ``10m``, ``2h``, ``1d``."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.addItem(self.tr("Never, only when I revoke it"), None)
        for choice in _TIMES_S:
            self.addItem(_spelt(choice), float(choice))
        self.setToolTip(self.tr("Choose, or type a time like 90s, 10m, 2h or 1d"))
        self.set_seconds(seconds)

    def set_seconds(self, seconds: float | None) -> None:
        """Show this time; None is never."""
        index = self.findData(None if not seconds else float(seconds))
        if index >= 0:
            self.setCurrentIndex(index)
        elif seconds:
            self.setEditText(_typed(seconds))

    def seconds(self) -> float | None:
        """What stands there; raises ValueError with a sentence."""
        text = self.currentText().strip()
        index = self.findText(text)
        if index >= 0:
            chosen: float | None = self.itemData(index)
            return chosen
        try:
            return parse_duration(text)
        except ValueError as error:
            raise ValueError(self.tr("Type a time like 90s, 10m, 2h or 1d, at most a year.")) from error


class ViewsField(QComboBox):
    """A number of complete views, chosen or typed."""

    def __init__(self, views: int | None, so_far: int = 0) -> None:
        super().__init__()
        self._so_far = so_far
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.addItem(self.tr("Any number"), None)
        for choice in _VIEWS:
            if choice > so_far:
                self.addItem(self.tr("1 view") if choice == 1 else self.tr("%n views", None, choice), choice)
        self.setToolTip(self.tr("A view counts when every byte has arrived"))
        self.set_views(views)

    def set_views(self, views: int | None) -> None:
        """Show this number; None is any."""
        index = self.findData(views or None)
        if index >= 0:
            self.setCurrentIndex(index)
        else:
            self.setEditText(str(views))

    def views(self) -> int | None:
        """What stands there; raises ValueError with a sentence."""
        text = self.currentText().strip()
        index = self.findText(text)
        if index >= 0:
            chosen: int | None = self.itemData(index)
            return chosen
        if not text.isdecimal() or not self._so_far < int(text) <= _MOST_VIEWS:
            raise ValueError(self.tr("Type a number of views, more than the {} so far.").format(self._so_far))
        return int(text)


def _left(limits: Limits, item: Item | None) -> float | None:
    """Seconds from now, for a share that has been living for a while."""
    if item is None or item.status.expires_at is None:
        return limits.expires_s
    return max(1.0, item.status.expires_at - time.time())


def _spelt(seconds: int) -> str:
    units = ((24 * 3600, "1 day", "%n days"), (3600, "1 hour", "%n hours"), (60, "1 minute", "%n minutes"))
    for size, one, many in units:
        if seconds >= size:
            count = seconds // size
            return words.tr(one) if count == 1 else words.tr(many, count)
    return words.tr("%n seconds", seconds)


def _typed(seconds: float) -> str:
    """As it would be typed: ``1h30m``."""
    left, parts = round(seconds), []
    for size, letter in ((24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts[:2])
