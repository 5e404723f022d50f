"""Everything of the app that can be seen, behind one door: tray or small window, windows, dialogs, notifications."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QDir, QObject
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from seedshot_desktop.seed.messages import Limits
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui import words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Item, Overview
from seedshot_desktop.ui.desktop_notes import DesktopNotes, Notice
from seedshot_desktop.ui.limits_dialog import LimitsDialog
from seedshot_desktop.ui.question import Explanation, Question
from seedshot_desktop.ui.settings_dialog import Change, SettingsDialog
from seedshot_desktop.ui.shares_window import SharesWindow
from seedshot_desktop.ui.small_window import SmallWindow
from seedshot_desktop.ui.toast import Toast
from seedshot_desktop.ui.tray import Tray
from seedshot_desktop.ui.tray_watch import TrayWatch

_NAMED = 4
"""Files that a question names one by one."""


class Faces(QObject):
    """Made of what is needed now; windows are built when they are first shown."""

    def __init__(self, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._overview = Overview()
        self._hotkey = ""
        self._tray: Tray | None = None
        self._small: SmallWindow | None = None
        self._shares: SharesWindow | None = None
        self._settings: SettingsDialog | None = None
        self._toast: Toast | None = None
        self._notes = DesktopNotes(actions.show_shares, failed=self._on_failed)
        self._told = ""
        self._closed = False
        self._dialogs: set[QWidget] = set()
        self._folder = QDir.homePath()
        self._watch = TrayWatch(self)
        self._watch.appeared.connect(self._on_tray)
        self._watch.vanished.connect(self._on_tray_gone)
        self._tray_gone = False

    @property
    def tray(self) -> Tray | None:
        """The tray icon, where this desktop has a tray now."""
        return None if self._tray_gone else self._tray

    def show(self) -> None:
        """Be there: in the tray, or as a small window until there is one."""
        if self._watch.available():
            self._on_tray()
        else:
            self._small_window().show()
        self._watch.start()

    def close(self) -> None:
        """Take everything away, but for what the desktop shows: see ``silence``. Nothing is told any more."""
        self._closed = True
        for window in (self._small, self._shares, self._settings, self._toast, *self._dialogs):
            if window is not None:
                window.hide()
        if self._tray is not None:
            self._tray.close()

    async def silence(self) -> None:
        """Take back what the desktop says of a share."""
        await self._notes.close()

    def draw(self, overview: Overview) -> None:
        """Show how things stand."""
        self._overview = overview
        if self._told and overview.item(self._told) is None:
            self._take_back()
        for face in (self._tray, self._small, self._shares):
            if face is not None:
                face.draw(overview)
        if self._settings is not None:
            self._settings.show_server_problem(overview.problem)

    def set_hotkey(self, combo: str) -> None:
        """The combination that is held now; "" for none."""
        self._hotkey = combo
        for face in (self._tray, self._small, self._shares):
            if face is not None:
                face.set_hotkey(combo)

    def notify(self, notice: Notice) -> None:
        """Say something that goes by itself, at the latest with its share; a click on it opens the shares window."""
        if self._closed:
            return
        self._told = notice.share or self._told
        if not self._watch.desktop_notifies():
            self._show_toast(notice)
        elif self._watch.notes_by_bus():
            self._notes.show(notice)
        elif self._tray is not None:
            self._tray.notify(notice)
        else:
            self._show_toast(notice)

    def show_shares(self) -> None:
        """Open the shares window, or raise it."""
        if self._shares is None:
            self._shares = SharesWindow(self._actions)
            self._shares.set_hotkey(self._hotkey)
            self._shares.draw(self._overview)
        _raise(self._shares)

    def show_settings(self, settings: Settings, change: Change) -> None:
        """Open the settings; each change of them goes through `change`."""
        if self._settings is None:
            self._settings = SettingsDialog(change)
            self._settings.show_server_problem(self._overview.problem)
        self._settings.show_settings(settings)
        _raise(self._settings)

    async def ask_files(self) -> Sequence[str]:
        """The paths of the files that the person chooses; none where they leave."""
        dialog = QFileDialog(self._window(), self.tr("Share files"), self._folder)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, self.tr("Share"))
        if not await self._answer(dialog):
            return []
        self._folder = dialog.directory().absolutePath()
        return dialog.selectedFiles()

    async def ask_share(self, paths: Sequence[str], limits: Limits) -> Limits | None:
        """The limits of a new share of the files at `paths`; None where the person leaves."""
        names = [words.one_line(os.path.basename(path)) for path in paths]
        title = names[0] if len(names) == 1 else self.tr("%n files", None, len(names))
        detail = "" if len(names) == 1 else ", ".join(names[:_NAMED]) + ("…" if len(names) > _NAMED else "")
        return await self._ask_limits(LimitsDialog(title, detail, limits, None, self._window()))

    async def ask_limits(self, item: Item) -> Limits | None:
        """New limits of a live share; None where the person leaves."""
        limits = Limits(expires_s=None, max_views=item.status.max_views)
        detail = self.tr("When this share ends by itself.")
        title = words.one_line(item.status.label)
        return await self._ask_limits(LimitsDialog(title, detail, limits, item, self._window()))

    async def explain(self, problem: str) -> None:
        """Say in a window why what the person has just asked for cannot be shared, and wait until it is closed."""
        await self._answer(Explanation(self.tr("This cannot be shared"), problem, self._window()))

    async def confirm_quit(self, shares: int) -> bool:
        """Whether live shares may end with the app."""
        text = self.tr("One link stops working at once.")
        if shares > 1:
            text = self.tr("%n links stop working at once.", None, shares)
        return bool(await self._answer(Question(self.tr("Quit Seedshot?"), text, self.tr("Quit"), self._window())))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """No window of ours is on the screen meanwhile."""
        hidden = [window for window in (self._small, self._shares) if window is not None and window.isVisible()]
        for window in hidden:
            window.hide()
        try:
            yield
        finally:
            for window in hidden:
                window.show()

    async def _ask_limits(self, dialog: LimitsDialog) -> Limits | None:
        return dialog.limits() if await self._answer(dialog) else None

    def _show_toast(self, notice: Notice) -> None:
        if self._toast is None:
            self._toast = Toast(self._actions.show_shares)
        self._toast.tell(notice)

    def _on_failed(self, notice: Notice) -> None:
        """The desktop did not show it, and said so late: by now the share may have ended, or the app."""
        if not self._closed and (not notice.share or self._overview.item(notice.share) is not None):
            self._show_toast(notice)

    def _take_back(self) -> None:
        """The share that was told of last has ended: nothing may say any more that its link works."""
        if self._toast is not None:
            self._toast.forget(self._told)
        self._notes.take_back()
        self._told = ""

    def _on_tray(self) -> None:
        """There is a tray, from the start, at last or again: the icon takes over from the small window."""
        self._tray_gone = False
        if self._tray is None:  # Qt shows one that was made before by itself
            self._tray = Tray(self._actions, self, by_bus=self._watch.by_bus)
            self._tray.set_hotkey(self._hotkey)
            self._tray.draw(self._overview)
        if self._small is not None:
            self._small.retire()
            self._small = None

    def _on_tray_gone(self) -> None:
        """The panel went and did not come back: without the small window nobody would reach the app."""
        self._tray_gone = True
        self._small_window().show()

    def _small_window(self) -> SmallWindow:
        if self._small is None:
            self._small = SmallWindow(self._actions)
            self._small.set_hotkey(self._hotkey)
            self._small.draw(self._overview)
        return self._small

    def _window(self) -> QWidget | None:
        """Whose dialog it is: a window of ours that is open."""
        windows: list[QWidget | None] = [self._shares, self._small]
        return next((window for window in windows if window is not None and window.isVisible()), None)

    async def _answer(self, dialog: QDialog) -> int:
        """Open `dialog` and wait for the person; nothing else waits."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        dialog.finished.connect(lambda result: None if done.done() else done.set_result(result))
        self._dialogs.add(dialog)
        dialog.open()
        _raise(dialog)
        try:
            return await done
        finally:
            self._dialogs.discard(dialog)
            dialog.deleteLater()


def _raise(window: QWidget) -> None:
    if window.isMinimized():
        window.showNormal()
    window.show()
    window.raise_()
    window.activateWindow()
