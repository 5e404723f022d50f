"""The settings: each change is checked and takes effect at once; what cannot be used says so under its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from seedshot_desktop.errors import SeedshotError, SettingsError
from seedshot_desktop.settings import Settings, is_open_to_listeners
from seedshot_desktop.ui.hotkey_field import HotkeyField
from seedshot_desktop.ui.limits_dialog import ExpiryField, ViewsField
from seedshot_desktop.ui.pieces import Banner, Button, card, label, name_of

Change = Callable[[Mapping[str, Any]], Settings]
"""Takes the settings that differ, applies and saves them; raises SeedshotError with what is wrong."""

_SIZE = (560, 680)
_MARGIN = 20
_KIB_MOST = 1_000_000


class SettingsDialog(QDialog):
    """A form over ``Settings``. Open it with ``show``; it never blocks."""

    def __init__(self, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(*_SIZE)
        self._change = change
        self._settings = Settings()
        self._showing = False
        self._errors: dict[str, QLabel] = {}
        self._fields: dict[str, QWidget] = {}
        self._readers: dict[str, Callable[[], Any]] = {}
        self._banner = Banner()
        self._plain = label(
            self.tr(
                "With http://, links and the proof that a share is yours can be read on the way. Better: https://."
            ),
            "error",
            wrap=True,
        )
        self._plain.hide()
        self._arrange()

    @property
    def warns_of_listeners(self) -> bool:
        """Whether it says that what the server is told can be read on the way."""
        return not self._plain.isHidden()

    def error(self, key: str) -> str:
        """The sentence under a field; "" while it is good."""
        return self._errors[key].text()

    def field(self, key: str) -> QWidget:
        """The field of a setting."""
        return self._fields[key]

    def show_server_problem(self, problem: str) -> None:
        """Why the server cannot be used now, above the form."""
        self._banner.tell(problem)

    def show_settings(self, settings: Settings) -> None:
        """Fill the form."""
        self._settings = settings
        self._showing = True
        for key, field in self._fields.items():
            _fill(field, getattr(settings, key))
            self._tell(key, "")
        self._showing = False
        self._enable()

    def _arrange(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(_MARGIN, 12, _MARGIN, 18)
        column.setSpacing(8)
        column.addWidget(self._banner)
        self._hotkey_section(column)
        self._server_section(column)
        self._sharing_section(column)
        self._network_section(column)
        column.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.verticalScrollBar().rangeChanged.connect(lambda _least, most: _leave_room(column, area, scrolls=most > 0))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        buttons.addButton(Button(self.tr("Restore defaults"), self._restore), QDialogButtonBox.ButtonRole.ResetRole)
        buttons.setContentsMargins(_MARGIN, 8, _MARGIN, 14)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addWidget(buttons)

    def _hotkey_section(self, column: QVBoxLayout) -> None:
        form = self._section(column, self.tr("This computer"))
        hotkey = HotkeyField()
        hotkey.recorded.connect(lambda _combo: self._commit("hotkey"))
        self._row(form, "hotkey", self.tr("&Hotkey"), hotkey, lambda: hotkey.combo)
        notes = QCheckBox(self.tr("Tell me when a link was copied, and of problems"))
        notes.toggled.connect(lambda _on: self._commit("notifications"))
        self._row(form, "notifications", "", notes, notes.isChecked)

    def _server_section(self, column: QVBoxLayout) -> None:
        form = self._section(column, self.tr("Links"))
        self._text(form, "server_url", self.tr("&Server"), self.tr("built in"))
        self._hint(form, self.tr("The server only brings viewers to this computer; pictures never pass through it."))
        form.addRow(QLabel(), self._plain)
        self._links = form
        listen = QComboBox()
        listen.addItem(self.tr("Everybody in this network"), "lan")
        listen.addItem(self.tr("This computer only"), "local")
        listen.currentIndexChanged.connect(lambda _index: self._commit("listen"))
        self._row(form, "listen", self.tr("&Reachable by"), listen, listen.currentData)
        self._number(form, "listen_port", self.tr("&Port"), most=65535, zero=self.tr("any"))
        self._text(form, "advertised_host", self.tr("&Address in links"), self.tr("found out by itself"))

    def _sharing_section(self, column: QVBoxLayout) -> None:
        form = self._section(column, self.tr("New shares"))
        expires = ExpiryField(None)
        expires.activated.connect(lambda _index: self._commit("expires_s"))
        _line(expires).editingFinished.connect(lambda: self._commit("expires_s"))
        self._row(form, "expires_s", self.tr("End &after"), expires, lambda: round(expires.seconds() or 0))
        views = ViewsField(None)
        views.activated.connect(lambda _index: self._commit("max_views"))
        _line(views).editingFinished.connect(lambda: self._commit("max_views"))
        self._row(form, "max_views", self.tr("End after &views"), views, lambda: views.views() or 0)
        self._number(form, "max_viewers", self.tr("Viewers at &once"), most=1000, least=1)

    def _network_section(self, column: QVBoxLayout) -> None:
        form = self._section(column, self.tr("Network"))
        none, unit = self.tr("no limit"), self.tr(" KiB/s")
        self._number(form, "upload_limit_kib", self.tr("&Upload limit"), most=_KIB_MOST, zero=none, unit=unit)
        self._number(form, "share_upload_limit_kib", self.tr("For each share"), most=_KIB_MOST, zero=none, unit=unit)
        self._list(form, "stun_urls", self.tr("STUN servers"), "stun:host:3478")
        self._list(form, "turn_urls", self.tr("TURN relays"), "turn:host:3478")
        self._text(form, "turn_username", self.tr("Relay user"), "")
        self._text(form, "turn_password", self.tr("Relay password"), "")
        password = self._fields["turn_password"]
        assert isinstance(password, QLineEdit)
        password.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)

    def _section(self, column: QVBoxLayout, title: str) -> QFormLayout:
        column.addSpacing(8 if column.count() > 1 else 6)
        column.addWidget(label(title, "heading"))
        ground = card()
        form = QFormLayout(ground)
        form.setContentsMargins(16, 14, 16, 14)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(ground)
        return form

    def _row(self, form: QFormLayout, key: str, text: str, field: QWidget, read: Callable[[], Any]) -> None:
        error = label(role="error", wrap=True)
        error.hide()
        together = QVBoxLayout()
        together.setSpacing(3)
        together.addWidget(field)
        together.addWidget(error)
        name = name_of(field, text)
        name.setMinimumWidth(120)
        form.addRow(name, together)
        self._fields[key], self._errors[key], self._readers[key] = field, error, read

    def _hint(self, form: QFormLayout, text: str) -> None:
        form.addRow(QLabel(), label(text, "muted", wrap=True))

    def _text(self, form: QFormLayout, key: str, text: str, placeholder: str) -> None:
        field = QLineEdit()
        field.setPlaceholderText(placeholder)
        field.editingFinished.connect(lambda: self._commit(key))
        self._row(form, key, text, field, lambda: field.text().strip())

    def _list(self, form: QFormLayout, key: str, text: str, placeholder: str) -> None:
        field = QLineEdit()
        field.setPlaceholderText(placeholder)
        field.editingFinished.connect(lambda: self._commit(key))
        self._row(form, key, text, field, lambda: tuple(field.text().replace(",", " ").split()))

    def _number(
        self, form: QFormLayout, key: str, text: str, *, most: int, zero: str = "", unit: str = "", least: int = 0
    ) -> None:
        field = QSpinBox()
        field.setRange(least, most)
        field.setSpecialValueText(zero)
        field.setSuffix(unit)
        field.setKeyboardTracking(False)
        field.lineEdit().setTextMargins(9, 0, 0, 0)
        field.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType if unit else QSpinBox.StepType.DefaultStepType)
        field.valueChanged.connect(lambda _value: self._commit(key))
        self._row(form, key, text, field, field.value)

    def _commit(self, key: str) -> None:
        """Take over what stands in a field; what cannot be used is said under it, and changes nothing."""
        if self._showing:
            return
        try:
            value = self._readers[key]()
            if value != getattr(self._settings, key):
                self._settings = self._change({key: value})
        except (SeedshotError, ValueError) as error:
            self._tell(key, (isinstance(error, SettingsError) and self._wrong(key)) or str(error))
            return
        self._tell(key, "")
        self._enable()

    def _wrong(self, key: str) -> str:
        """How to write a value that is not what its setting may be."""
        return {
            "server_url": self.tr("Type an address like https://seedshot.example, or nothing for the built-in server."),
            "advertised_host": self.tr("Type a name or an IP address without a port, or nothing."),
            "stun_urls": self.tr("Type addresses like stun:host:3478, with spaces between them, at most eight."),
            "turn_urls": self.tr("Type addresses like turn:host:3478, with spaces between them, at most eight."),
        }.get(key, "")

    def _tell(self, key: str, problem: str) -> None:
        error, field = self._errors[key], self._fields[key]
        error.setText(problem)
        error.setVisible(bool(problem))
        if field.property("invalid") != bool(problem):
            field.setProperty("invalid", bool(problem))
            field.style().unpolish(field)
            field.style().polish(field)

    def _enable(self) -> None:
        """What belongs to the built-in server is idle with another one."""
        for key in ("listen", "listen_port", "advertised_host"):
            self._fields[key].setEnabled(not self._settings.server_url)
        self._links.setRowVisible(self._plain, is_open_to_listeners(self._settings.server_url))

    def _restore(self) -> None:
        defaults = Settings()
        differing = {key: getattr(defaults, key) for key in self._fields}
        try:
            self._settings = self._change(differing)
        except SeedshotError as error:
            self._tell("hotkey", str(error))
            return
        self.show_settings(self._settings)


def _leave_room(column: QVBoxLayout, area: QScrollArea, *, scrolls: bool) -> None:
    """The cards end where the buttons under them end, with a scroll bar beside them or without one."""
    margins = column.contentsMargins()
    margins.setRight(_MARGIN - area.verticalScrollBar().sizeHint().width() if scrolls else _MARGIN)
    column.setContentsMargins(margins)


def _fill(field: QWidget, value: Any) -> None:
    """Show `value` in `field`, whatever kind of field it is."""
    if isinstance(field, HotkeyField):
        field.set_combo(value)
    elif isinstance(field, ExpiryField):
        field.set_seconds(value)
    elif isinstance(field, ViewsField):
        field.set_views(value)
    elif isinstance(field, QComboBox):
        field.setCurrentIndex(field.findData(value))
    elif isinstance(field, QSpinBox):
        field.setValue(value)
    elif isinstance(field, QCheckBox):
        field.setChecked(value)
    elif isinstance(field, QLineEdit):
        field.setText(" ".join(value) if isinstance(value, tuple) else value)


def _line(box: QComboBox) -> QLineEdit:
    line = box.lineEdit()
    assert line is not None
    return line
