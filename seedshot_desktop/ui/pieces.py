"""The small parts that every window is put together from: labels, buttons, cards."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from seedshot_desktop.ui import icons, theme

_ICON = QSize(18, 18)
_ICON_AND_GAP = QSize(22, 18)


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """Plain text, never markup: much of it comes from elsewhere. `role` names a rule of the style sheet."""
    made = QLabel(text)
    made.setObjectName(role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    return made


def name_of(field: QWidget, text: str) -> QLabel:
    """The label of a field, level with it whatever is said under the field; & marks the key that leads there."""
    made = QLabel(text)
    made.setBuddy(field)
    made.setFixedHeight(field.sizeHint().height())
    field.setAccessibleName(text.replace("&", "") or field.accessibleName())
    return made


def card(parent: QWidget | None = None, role: str = "card") -> QFrame:
    """A framed ground for things that belong together."""
    made = QFrame(parent)
    made.setObjectName(role)
    return made


class Button(QPushButton):
    """A button with words, and an icon in the colour of its role."""

    def __init__(self, text: str, deed: Callable[[], None], *, icon: str = "", role: str = "") -> None:
        super().__init__(text)
        self.setObjectName(role)
        self.setIconSize(_ICON_AND_GAP)
        self.setAutoDefault(False)
        self._icon_name, self._role = icon, role
        self.clicked.connect(lambda _checked: deed())
        if icon:
            theme.changed(self._colour)

    def _colour(self) -> None:
        colours = theme.tokens()
        colour = {"primary": colours.on_accent, "danger": colours.danger}.get(self._role, colours.text)
        self.setIcon(icons.icon(self._icon_name, colour, colours.faint))


class IconButton(QToolButton):
    """A button with an icon alone; its words are its tooltip and what a screen reader says."""

    def __init__(self, text: str, icon: str, deed: Callable[[], None]) -> None:
        super().__init__()
        self.setIconSize(_ICON)
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icon_name = icon
        self.clicked.connect(lambda _checked: deed())
        theme.changed(self._colour)

    def _colour(self) -> None:
        colours = theme.tokens()
        self.setIcon(icons.icon(self._icon_name, colours.text, colours.faint))


class ElidedLabel(QLabel):
    """One line that gives way in the middle where there is no room; the whole text is its tooltip."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self.setObjectName(role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(40)
        self._whole = ""

    def set_whole(self, text: str) -> None:
        """The text; control characters in it are the caller's to take out."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """Narrow: the text gives way, not the window."""
        return QSize(40, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """As wide as the whole text."""
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 4, super().sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        """Fit anew."""
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


class Banner(QFrame):
    """A line across a window that says what is wrong; gone when nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._icon = QLabel()
        self._text = label(wrap=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 9, 12, 9)
        layout.setSpacing(10)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.hide()
        theme.changed(self._colour)

    @property
    def text(self) -> str:
        """What it says; "" while it is gone."""
        return self._text.text()

    def tell(self, text: str) -> None:
        """Say `text`; "" goes away."""
        if text != self._text.text():
            self._text.setText(text)
            self.setAccessibleName(text)
        self.setVisible(bool(text))

    def _colour(self) -> None:
        self._icon.setPixmap(icons.pixmap("warning", theme.tokens().warning, 18, self.devicePixelRatioF()))
