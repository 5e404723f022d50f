"""The tray app: hands over to one that runs already, else builds everything, wires it, and keeps it until it ends.

``main`` tells the order of the start, ``App.run`` the order of the life. What a
person does with the app is told in ``story``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import qasync
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from seedshot_desktop import settings
from seedshot_desktop.commands import log
from seedshot_desktop.control_answers import ControlAnswers
from seedshot_desktop.errors import SeedshotError
from seedshot_desktop.preferences import Preferences
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
from seedshot_desktop.story import Story
from seedshot_desktop.ui import startup, words
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.alone import handed_over
from seedshot_desktop.ui.book import Book
from seedshot_desktop.ui.bridge import EngineBridge
from seedshot_desktop.ui.control_server import ControlServer
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.faces import Faces
from seedshot_desktop.ui.network_watch import NetworkWatch
from seedshot_desktop.ui.selector import Selector

_log = logging.getLogger(__name__)

_THREADS = 3
"""For pixels and files: everything that a window must not wait for."""
_PREDECESSOR_TRIES, _PREDECESSOR_PAUSE_S = 30, 0.1
_MENU_GONE_S = 0.2
"""Until a menu or window that was clicked is off the screen, and so out of the picture."""


def main(_arguments: Sequence[str] = ()) -> int:
    """Run the app until it is quit; the exit code. Raises SeedshotError where it cannot run."""
    # 1. Does one run already? It shows its window, and this start is over.
    if handed_over():
        return 0
    # 2. Is there anything to draw on? Qt would end the process without a word that helps.
    if problem := startup.display_problem():
        raise SeedshotError(problem)
    # 3. Qt, and asyncio on top of Qt's loop.
    application = startup.application()
    loop = qasync.QEventLoop(application)
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="seedshot"))
    # 4. The app. A session that ends may end Qt's loop under it; by then everything is revoked.
    with loop:
        app = App(application)
        try:
            loop.run_until_complete(app.run())
        except RuntimeError:
            if not app.cut_short:
                raise
    return 0


class App:
    """Owns every part, and carries messages between them."""

    def __init__(self, application: startup.Application) -> None:
        self._application = application
        self._actions = self._all_actions()
        self._faces = Faces(self._actions)
        self._preferences = Preferences(
            on_press=lambda: self._do("capture", self._story.capture("region")),
            on_hotkey=self._faces.set_hotkey,
            on_options=lambda options: self._bridge.send(Configure(options)),
            tell=self._tell,
        )
        self._book = Book()
        self._bridge = EngineBridge(self._preferences.options)
        self._network = NetworkWatch()
        self._story = Story(
            bridge=self._bridge,
            book=self._book,
            selector=Selector(),
            wishes=lambda: self._preferences.settings,
            notify=self._notify,
            changed=self._draw,
        )
        self._ended = asyncio.Event()
        self._control = ControlServer(
            ControlAnswers(
                story=self._story,
                actions=self._actions,
                overview=self._book.overview,
                reload=self._preferences.reload,
                end=self._ended.set,
            ),
            log.fault,
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cut_short = False
        """Qt's loop was ended from outside."""

    async def run(self) -> None:
        """Start, live, end. Raises SeedshotError where another app runs but does not answer."""
        if not await self._alone():
            return
        startup.catch_everything(log.fault, self._tell)
        asyncio.get_running_loop().set_exception_handler(self._on_loop_fault)
        self._listen()
        self._bridge.start()
        self._preferences.hold()
        _log.info("ready for the hotkey")
        self._faces.show()
        self._network.start()
        for problem in self._preferences.problems:
            self._tell(problem)
        self._do("warm up", self._story.warm_up())
        await self._ended.wait()
        await self._end()

    async def _alone(self) -> bool:
        """Whether this is the only app; one that is about to end is waited for, one that runs takes over."""
        for _ in range(_PREDECESSOR_TRIES):
            if self._control.listen():
                return True
            if await asyncio.to_thread(handed_over):
                return False
            await asyncio.sleep(_PREDECESSOR_PAUSE_S)
        raise SeedshotError("Seedshot runs already but does not answer. End its process, and start it again.")

    def _listen(self) -> None:
        """Every way in which something reaches the app."""
        self._bridge.heard.connect(self._on_event)
        self._bridge.died.connect(self._on_engine_died)
        self._network.changed.connect(lambda: self._bridge.send(CheckNetwork()))
        self._application.asked_to_quit.connect(self._ended.set)
        self._application.aboutToQuit.connect(self._on_loop_end)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._ended.set)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._ended.set))

    def _on_loop_end(self) -> None:
        """Qt's loop ends; where that was not the app's own doing, nothing can be awaited any more."""
        self.cut_short = not self._ended.is_set()
        self._bridge.stop_now()

    async def _end(self) -> None:
        """Take everything back, at the latest after two seconds."""
        self._control.hush()
        self._bridge.heard.disconnect(self._on_event)
        self._bridge.died.disconnect(self._on_engine_died)
        self._faces.close()
        self._story.close()
        self._preferences.close()
        self._network.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._faces.silence(), self._bridge.stop())
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
            show_settings=lambda: self._faces.show_settings(self._preferences.settings, self._preferences.change),
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
        if problem := await self._story.obstacle(paths):
            await self._faces.explain(problem)
            return
        limits = await self._faces.ask_share(paths, settings.limits(self._preferences.settings))
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

    # Notes, tasks, faults

    def _notify(self, notice: Notice) -> None:
        if self._preferences.settings.notifications:
            self._faces.notify(notice)

    def _tell(self, problem: str) -> None:
        self._notify(Notice("Seedshot", problem))

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
