"""Asks for a region of the frozen screen: one window on every monitor, one answer.

The quick way is press, drag, release: releasing takes the region. While the
button is down, Space moves the whole region and the arrow keys move the corner
by single pixels. With Ctrl held at the release the region stays, with handles,
until Enter, a double click or the Share button takes it. Without a region,
Enter or a double click takes the monitor under the pointer. A right click steps
back, Esc leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QScreen

from seedshot_desktop.ui.selector_model import Phase, Point, SelectorModel
from seedshot_desktop.ui.selector_scene import Scene, compose, hint_words, size_text
from seedshot_desktop.ui.selector_screens import match_screens
from seedshot_desktop.ui.selector_values import Box, FrozenScreen, Selection
from seedshot_desktop.ui.selector_window import SelectorWindow

__all__ = ["FrozenScreen", "Selection", "Selector"]

_REACH = 7
_CLICK = 4
_GRAB_RETRY_MS = 10
_GRAB_TRIES = 100
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class Selector(QObject):
    """The overlay; made once, asked whenever the hotkey is pressed."""

    painted = Signal()
    """The frozen screen stands on every monitor."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Costs nothing yet; call ``warm_up`` once the app is idle."""
        super().__init__(parent)
        self._open: _Session | None = None
        self._windows: dict[QScreen, SelectorWindow] = {}

    @property
    def open(self) -> bool:
        """True while somebody is being asked."""
        return self._open is not None

    def warm_up(self) -> None:
        """Make ready what the first overlay would otherwise wait for: its windows' memory and its fonts.

        Takes about 0.1 s for each 4K monitor; call it when nobody waits, and again when screens came or went.
        """
        screens = QGuiApplication.screens()
        for screen in [screen for screen in self._windows if screen not in screens]:
            self._windows.pop(screen).destroy()
        for screen in screens:
            self._window(screen).brush.measures(hint_words(Phase.AIMING, keep=False), size_text(None))

    def wipe(self) -> None:
        """Overwrite what the hidden windows still hold of the screen."""
        for window in self._windows.values():
            window.wipe()

    def _window(self, screen: QScreen) -> SelectorWindow:
        """The window on `screen`; a new one where the screen has changed."""
        window = self._windows.get(screen)
        if window is None or window.place != (screen.geometry(), screen.devicePixelRatio()):
            if window is not None:
                window.destroy()
            window = self._windows[screen] = SelectorWindow(screen)
        return window

    async def ask(self, frames: Sequence[FrozenScreen]) -> Selection | None:
        """The region that is chosen, or None: given up, cancelled, or a question is open already.

        `frames` are the pictures of all monitors; their pixels must stay as they
        are until this returns. Leaves the keyboard focus where it was.
        """
        pairs = match_screens(frames, QGuiApplication.screens())
        if self._open is not None or not pairs:
            return None
        windows = [(frozen, self._window(screen)) for frozen, screen in pairs]
        self._open = _Session(windows, self.painted.emit)
        try:
            self._open.start()
            return await self._open.answer
        finally:
            session, self._open = self._open, None
            session.end()

    def cancel(self) -> None:
        """Close the overlay; the question is answered with None. Does nothing when it is not open."""
        if self._open is not None:
            self._open.leave()


class _Session(QObject):
    """One question, from the windows' appearance to the answer."""

    def __init__(
        self, windows: Sequence[tuple[FrozenScreen, SelectorWindow]], when_painted: Callable[[], None]
    ) -> None:
        super().__init__()
        self.answer: asyncio.Future[Selection | None] = asyncio.get_running_loop().create_future()
        self._when_painted = when_painted
        self._keep = False
        """Ctrl was pressed since the overlay appeared, and is down: one still held from the hotkey says nothing."""
        self._windows = [window for _, window in windows]
        for frozen, window in windows:
            window.freeze(frozen, self)
        self._unpainted = set(self._windows)
        self._model = self._make_model()

    def _make_model(self) -> SelectorModel:
        scale = self._windows[0].brush.scale
        boxes = [window.frozen.box for window in self._windows]
        model = SelectorModel(boxes, reach=round(_REACH * scale), click=round(_CLICK * scale))
        model.move(self._mouse())
        return model

    def start(self) -> None:
        """Show the windows and take the keyboard."""
        self._watch_screens()
        for window in self._windows:
            window.appear(self._scene(window))
        self._grab_keyboard(_GRAB_TRIES)

    def _mouse(self) -> Point:
        """The pixel under the mouse before any event told of it."""
        position = QCursor.pos()
        for window in self._windows:
            if window.geometry().contains(position):
                return window.to_pixel(QPointF(position - window.geometry().topLeft()))
        return self._windows[0].frozen.box.centre

    def _watch_screens(self) -> None:
        """A monitor that comes, goes or changes makes the frozen pictures wrong."""
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self.leave)
        app.screenRemoved.connect(self.leave)
        for screen in QGuiApplication.screens():
            screen.geometryChanged.connect(self.leave)

    def _grab_keyboard(self, tries: int) -> None:
        """Take every key, and leave the focus alone: the window that had it shall have it afterwards.

        While the hotkey's own grab lasts the server says no; it is asked again.
        """
        if self._model.done:
            return
        window = self._windows[0]
        if QGuiApplication.platformName() != "xcb":
            window.requestActivate()
        elif not window.setKeyboardGrabEnabled(True):
            if tries:
                QTimer.singleShot(_GRAB_RETRY_MS, self, lambda: self._grab_keyboard(tries - 1))
            else:
                window.requestActivate()  # somebody never lets go; the focus is what is left to ask for

    def end(self) -> None:
        """Hide every window and give the keyboard back."""
        self._model.leave()
        if QGuiApplication.platformName() == "xcb":
            self._windows[0].setKeyboardGrabEnabled(False)
        for window in self._windows:
            window.vanish()
        self.deleteLater()

    # What the windows tell

    def on_move(self, point: Point, *, pressed: bool) -> None:
        """See ``Controls``."""
        if pressed:
            self._model.drag(point)
        else:
            self._model.move(point)
        self._refresh()

    def on_press(self, point: Point, button: Qt.MouseButton) -> None:
        """See ``Controls``."""
        if button == Qt.MouseButton.LeftButton:
            if self._on_button(point):
                self._model.confirm()
            else:
                self._model.press(point)
        elif button == Qt.MouseButton.RightButton:
            self._model.step_back()
        self._refresh()

    def on_release(self, point: Point, button: Qt.MouseButton) -> None:
        """See ``Controls``."""
        if button == Qt.MouseButton.LeftButton:
            self._model.release(point, keep=self._keep)
        self._refresh()

    def on_double_click(self, point: Point) -> None:
        """See ``Controls``."""
        self._model.double_click(point)
        self._refresh()

    def on_painted(self, window: SelectorWindow) -> None:
        """See ``Controls``."""
        if window in self._unpainted:
            self._unpainted.remove(window)
            if not self._unpainted:
                self._when_painted()

    def on_closed(self) -> None:
        """See ``Controls``."""
        self.leave()

    def leave(self, *_: object) -> None:
        """Answer with None."""
        self._model.leave()
        self._refresh()

    def on_key(self, event: QKeyEvent, *, down: bool) -> None:
        """See ``Controls``."""
        key = Qt.Key(event.key())
        if event.isAutoRepeat() and key not in _ARROWS:
            return
        if key == Qt.Key.Key_Control:
            self._keep = down
        elif key == Qt.Key.Key_Space:
            self._model.slide(down)
        elif down:
            self._on_key_down(key, event.modifiers())
        self._refresh()

    def _on_key_down(self, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
        if key == Qt.Key.Key_Escape:
            self._model.leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._model.confirm()
        elif key in _ARROWS:
            step = 10 if held & Qt.KeyboardModifier.ControlModifier else 1
            dx, dy = _ARROWS[key]
            self._model.nudge(dx * step, dy * step, resize=bool(held & Qt.KeyboardModifier.ShiftModifier))

    # What follows

    def _on_button(self, point: Point) -> bool:
        """Whether the Share button is there."""
        for window in self._windows:
            button = window.scene.button
            local = (point[0] - window.frozen.x, point[1] - window.frozen.y)
            if button and window.frozen.box.contains(point) and button.contains(local):
                return True
        return False

    def _scene(self, window: SelectorWindow) -> Scene:
        return compose(self._model, window.frozen.box, window.brush.measures, self._keep)

    def _refresh(self) -> None:
        """Draw what changed, or answer."""
        if self._model.done:
            self._finish()
            return
        grip = self._model.grip_at(self._model.pointer)
        hand = self._on_button(self._model.pointer)
        for window in self._windows:
            window.draw(self._scene(window))
            window.point_to(grip, self._model.phase, hand=hand)

    def _finish(self) -> None:
        if self.answer.done():
            return
        box: Box | None = self._model.box
        self.answer.set_result(Selection(box.x, box.y, box.width, box.height) if box else None)
