"""The tray app: hands over to one that runs already, else builds everything, wires it, and keeps it until it ends.

``main`` tells the order of the start, ``App.run`` the order of the life. What a
person does with the app is told in ``story``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication

from seedshot_desktop import control, hotkey, settings
from seedshot_desktop.commands import log
from seedshot_desktop.control_answers import ControlAnswers
from seedshot_desktop.errors import HotkeyError, SeedshotError
from seedshot_desktop.seed.messages import (
    ChangeLimits,
    CheckNetwork,
    CommandFailed,
    Configure,
    DismissViewer,
    EngineStarted,
    Event,
    FileFailed,
    Revoke,
    RevokeAll,
)
from seedshot_desktop.settings import Settings
from seedshot_desktop.story import Story
from seedshot_desktop.ui import startup, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Book
from seedshot_desktop.ui.bridge import EngineBridge
from seedshot_desktop.ui.control_server import ControlServer
from seedshot_desktop.ui.faces import Faces
from seedshot_desktop.ui.network_watch import NetworkWatch
from seedshot_desktop.ui.selector import Selector

_THREADS = 3
"""For pixels and files: everything that a window must not wait for."""
_MENU_GONE_S = 0.2
"""Until a menu or window that was clicked is off the screen, and so out of the picture."""


def main(_arguments: Sequence[str] = ()) -> int:
    """Run the app until it is quit; the exit code. Raises SeedshotError where it cannot run."""
    # 1. Does one run already? It shows its window, and this start is over.
    if _handed_over():
        return 0
    # 2. Is there anything to draw on? Qt would end the process without a word that helps.
    if problem := startup.display_problem():
        raise SeedshotError(problem)
    # 3. Qt, and asyncio on top of Qt's loop.
    application = startup.application()
    loop = qasync.QEventLoop(application)
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="seedshot"))
    # 4. The app.
    with loop:
        code: int = loop.run_until_complete(App(application).run())
    return code


def _handed_over() -> bool:
    """Whether a running app has taken this start over."""
    if not control.is_running():
        return False
    for _reply in control.client_request(control.ShowRequest()):
        pass
    return True


class App:
    """Owns every part, and carries messages between them."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        loaded = settings.read()
        self._settings = loaded.settings
        self._problems = loaded.problems
        self._book = Book()
        self._bridge = EngineBridge(settings.engine_options(self._settings))
        self._actions = self._all_actions()
        self._faces = Faces(self._actions)
        self._network = NetworkWatch()
        self._story = Story(
            bridge=self._bridge,
            book=self._book,
            selector=Selector(),
            wishes=lambda: self._settings,
            notify=self._notify,
            changed=self._draw,
        )
        answers = ControlAnswers(self._story, self._actions, self._book.overview, self._reload)
        self._control = ControlServer(answers, log.fault)
        self._hotkey: hotkey.Hotkey | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = asyncio.Event()

    async def run(self) -> int:
        """Start, live, end; the exit code. Raises SeedshotError where another start was quicker but does not answer."""
        if not self._control.listen():
            return 0 if _handed_over() else 1
        startup.catch_everything(log.fault, self._tell)
        asyncio.get_running_loop().set_exception_handler(self._on_loop_fault)
        self._listen()
        self._bridge.start()
        self._hold_hotkey(self._settings.hotkey)
        self._faces.show()
        self._network.start()
        for problem in self._problems:
            self._tell(problem)
        self._do("warm up", self._story.warm_up())
        await self._ended.wait()
        await self._end()
        return 0

    def _listen(self) -> None:
        """Every way in which something reaches the app."""
        self._bridge.heard.connect(self._on_event)
        self._bridge.died.connect(self._on_engine_died)
        self._network.changed.connect(lambda: self._bridge.send(CheckNetwork()))
        self._application.commitDataRequest.connect(lambda _session: self._bridge.stop_now())
        self._application.aboutToQuit.connect(self._ended.set)
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(number, self._ended.set)

    async def _end(self) -> None:
        """Take everything back, at the latest after two seconds."""
        self._faces.close()
        self._story.close()
        if self._hotkey is not None:
            self._hotkey.close()
        self._network.close()
        for task in self._tasks:
            task.cancel()
        await self._bridge.stop()
        self._control.close()

    # What the engine says

    def _on_event(self, event: Event) -> None:
        self._book.hear(event)
        match event:
            case EngineStarted():
                self._story.engine_known()
            case CommandFailed(problem=problem, share=share) if not share or self._book.lives(share):
                self._tell(problem)
            case FileFailed(problem=problem):
                self._tell(problem)
            case _:
                pass
        self._draw()

    def _on_engine_died(self, problem: str) -> None:
        self._book.engine_died(words.tr("The seeding engine stopped. {}").format(problem), time.time())
        self._draw()

    def _draw(self) -> None:
        self._faces.draw(self._book.overview())

    # What the person does

    def _all_actions(self) -> Actions:
        return Actions(
            capture=lambda mode: self._do("capture", self._capture_aside(mode)),
            choose_files=lambda: self._do("choose files", self._choose_files()),
            share_files=lambda paths: self._do("share files", self._share_files(paths)),
            copy_link=self._copy_link,
            open_link=self._open_link,
            change_limits=lambda share: self._do("limits", self._change_limits(share)),
            revoke=self._revoke,
            revoke_all=self._revoke_all,
            dismiss=lambda share, viewer: self._bridge.send(DismissViewer(share, viewer)),
            show_shares=self._show_shares,
            show_settings=lambda: self._faces.show_settings(self._settings, self._change),
            quit=lambda: self._do("quit", self._quit()),
        )

    def _show_shares(self) -> None:
        self._faces.show_shares()

    async def _capture_aside(self, mode: str) -> None:
        """From a menu or a window of ours, which shall not be in the picture."""
        with self._faces.aside():
            await asyncio.sleep(_MENU_GONE_S)
            await self._story.capture(mode)

    async def _choose_files(self) -> None:
        await self._share_files(await self._faces.ask_files())

    async def _share_files(self, paths: Sequence[str]) -> None:
        """Ask for limits, which are those of settings until they are changed, then share."""
        if not paths:
            return
        limits = await self._faces.ask_share(paths, settings.limits(self._settings))
        if limits is not None:
            await self._story.share_files(paths, limits)

    def _copy_link(self, share: str) -> None:
        if item := self._book.overview().item(share):
            QGuiApplication.clipboard().setText(item.link)

    def _open_link(self, share: str) -> None:
        if item := self._book.overview().item(share):
            QDesktopServices.openUrl(QUrl(item.link))

    async def _change_limits(self, share: str) -> None:
        item = self._book.overview().item(share)
        limits = await self._faces.ask_limits(item) if item else None
        if limits is not None and self._book.lives(share):
            self._book.limit(share, limits)
            self._bridge.send(ChangeLimits(share, limits))
            self._draw()

    def _revoke(self, share: str) -> None:
        self._bridge.send(Revoke(share))
        self._book.revoking(share)
        self._draw()

    def _revoke_all(self) -> None:
        self._bridge.send(RevokeAll())
        self._book.revoking_all()
        self._draw()

    async def _quit(self) -> None:
        """End; where there is no tray a stray click on a window's cross asks first."""
        shares = len(self._book.overview().items)
        if self._faces.tray is not None or not shares or await self._faces.confirm_quit(shares):
            self._ended.set()

    # Hotkey and settings

    def _hold_hotkey(self, text: str) -> None:
        """Hold the combination, or tell the person why not."""
        try:
            self._take_hotkey(text)
        except HotkeyError as error:
            self._faces.set_hotkey("")
            self._tell(str(error))

    def _take_hotkey(self, text: str) -> str:
        """Hold `text` in place of the combination that is held; its canonical form. Raises HotkeyError."""
        combo = hotkey.parse_combo(text)
        if self._hotkey is None or self._hotkey.combo != combo:
            taken = hotkey.open_hotkey(combo, self._on_press, self._on_hotkey_lost)
            if self._hotkey is not None:
                self._hotkey.close()
            self._hotkey = taken
        self._faces.set_hotkey(str(combo))
        return str(combo)

    def _on_press(self) -> None:
        self._do("capture", self._story.capture("region"))

    def _on_hotkey_lost(self, error: HotkeyError) -> None:
        self._hotkey = None
        self._faces.set_hotkey("")
        self._tell(str(error))

    def _change(self, values: Mapping[str, Any]) -> Settings:
        """New values for some settings: checked, taken up, saved. Raises SeedshotError, and then nothing changed."""
        wanted = settings.change(self._settings, values)
        if "hotkey" in values:
            wanted = settings.change(wanted, {"hotkey": self._take_hotkey(wanted.hotkey)})
        settings.save(wanted)
        self._take_up(wanted)
        return wanted

    def _reload(self) -> None:
        """Somebody else changed the file. Raises SeedshotError."""
        wanted = settings.load()
        if wanted.hotkey != self._settings.hotkey:
            self._take_hotkey(wanted.hotkey)
        self._take_up(wanted)

    def _take_up(self, wanted: Settings) -> None:
        before, self._settings = settings.engine_options(self._settings), wanted
        if settings.engine_options(wanted) != before:
            self._bridge.send(Configure(settings.engine_options(wanted)))

    # Notes, tasks, faults

    def _notify(self, title: str, text: str, thumbnail: bytes = b"") -> None:
        if self._settings.notifications:
            self._faces.notify(title, text, thumbnail)

    def _tell(self, problem: str) -> None:
        self._notify("Seedshot", problem)

    def _do(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` as a task that is kept; what goes wrong in it is told."""
        task = asyncio.get_running_loop().create_task(self._guarded(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except SeedshotError as error:
            self._tell(str(error))
        except Exception as error:
            log.fault(error)
            self._tell(words.tr("Something went wrong that should not have. Seedshot goes on."))

    def _on_loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            sys.excepthook(type(error), error, error.__traceback__)
