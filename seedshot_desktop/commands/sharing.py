"""One run of ``seedshot share``: drives the engine, tells its story, and ends it in time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seedshot_desktop.commands import events, inputs
from seedshot_desktop.commands.report import Reporter
from seedshot_desktop.errors import ShareError
from seedshot_desktop.seed import link
from seedshot_desktop.seed import messages as m
from seedshot_desktop.seed.engine import Engine
from seedshot_desktop.seed.process import host_embedded_server

FAILED = 1
INTERRUPTED = 130
_STOP_WITHIN_S = 1.5
"""How long the pages get to hear of the end: an interrupted command is over within two seconds."""
_DRAW_EVERY_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What is shared, and how."""

    options: m.EngineOptions
    limits: m.Limits
    files: tuple[m.DiskFile, ...]
    standard_input: str | None = None
    """The name under which standard input is shared, after the files; None: it is not."""

    @property
    def label(self) -> str:
        """What the owner reads."""
        return self.files[0].name if self.files else str(self.standard_input)


class Sharing:
    """One run of the command; made on the loop that runs it."""

    def __init__(self, plan: Plan, reporter: Reporter) -> None:
        self._plan = plan
        self._reporter = reporter
        self._keys = link.mint()
        self._engine = Engine(self._on_event, plan.options, host_server=host_embedded_server)
        self._status: m.EngineStatus | None = None
        self._announced = False
        self._stopping = False
        self._lost_files = 0
        self._code = 0

    async def run(self) -> int:
        """Share until interrupted, until it ends by itself, or until it fails; the exit code."""
        engine = asyncio.create_task(self._engine.run(), name="engine")
        painter = asyncio.create_task(self._draw_often(), name="painter")
        self._cancel = engine.cancel
        try:
            with _signals(self.interrupt, self._look_at_network):
                await engine
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            painter.cancel()
        return self._code

    def interrupt(self) -> None:
        """Ctrl-C: tell the pages and end; a second one ends at once."""
        if self._stopping:
            os._exit(INTERRUPTED)  # not even a thread that still reads standard input is waited for
        self._stop(0)

    def _stop(self, code: int) -> None:
        if not self._stopping:
            self._stopping = True
            self._code = code
            self._engine.submit(m.Stop())
            asyncio.get_running_loop().call_later(_STOP_WITHIN_S, self._cancel)

    def _look_at_network(self) -> None:
        self._engine.submit(m.CheckNetwork())

    def _on_event(self, event: m.Event) -> None:
        """The engine's events; nobody reading any more ends the share, and must not disturb the engine."""
        try:
            self._follow(event)
        except OSError:
            self._stop(0)

    def _follow(self, event: m.Event) -> None:
        match event:
            case m.EngineStarted(base_url=base_url):
                self._start(base_url)
            case m.BaseUrlChanged(base_url=base_url) if self._announced:
                self._reporter.tell(events.link_changed(str(self._keys.link(base_url)), self._keys.share))
            case m.StatusChanged(status=status):
                self._status = status
                self._reporter.draw(status)
        if item := events.as_object(event):
            self._reporter.tell(item)
        match event:
            case m.ShareEnded():
                self._stop(self._code)
            case m.FileFailed():
                self._lose_file()
            case m.CommandFailed() | m.EngineFailed():
                self._stop(FAILED)

    def _start(self, base_url: str) -> None:
        """Say the link, then register it: whoever waits for the link never waits for a server."""
        plan = self._plan
        waits = plan.standard_input is not None
        expires_at = None if plan.limits.expires_s is None else time.time() + plan.limits.expires_s
        files = None if waits else _sizes(plan.files)
        text = str(self._keys.link(base_url))
        self._reporter.tell(events.shared(text, self._keys.share, files, expires_at, plan.limits.max_views))
        self._announced = True
        keys = self._keys
        seed_keys = m.Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        self._engine.submit(m.Seed(seed_keys, plan.label, plan.limits, None if waits else plan.files))
        if waits:
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._read, args=(loop,), name="standard input", daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own, which may wait for ever."""
        then: Callable[[], None]
        try:
            data = inputs.read_standard_input(inputs.open_standard_input())
        except (ShareError, MemoryError) as error:
            problem = str(error) or "There is not enough memory for what comes on standard input."
            then = lambda: self._fail(problem)  # noqa: E731
        else:
            then = lambda: self._provide(data)  # noqa: E731
        try:
            loop.call_soon_threadsafe(then)
        except RuntimeError:
            pass  # interrupted meanwhile: the loop is closed

    def _provide(self, data: bytes) -> None:
        file = inputs.memory_file(str(self._plan.standard_input), data)
        files: tuple[m.File, ...] = (*self._plan.files, file)
        self._engine.submit(m.Provide(self._keys.share, files))
        self._tell(events.provided(self._keys.share, _sizes(files)))

    def _fail(self, problem: str) -> None:
        self._tell(events.error(problem, self._keys.share))
        self._stop(FAILED)

    def _lose_file(self) -> None:
        """A share none of whose files can be served any more has nothing to wait for."""
        self._lost_files += 1
        if self._plan.standard_input is None and self._lost_files == len(self._plan.files):
            self._stop(FAILED)

    def _tell(self, item: dict[str, Any]) -> None:
        """As the engine's events: a reader that has gone ends the share."""
        try:
            self._reporter.tell(item)
        except OSError:
            self._stop(0)

    async def _draw_often(self) -> None:
        """Times go on while nothing else happens."""
        while True:
            await asyncio.sleep(_DRAW_EVERY_S)
            if self._status and not self._stopping:
                self._reporter.draw(self._status)


@contextmanager
def _signals(interrupt: Callable[[], None], resumed: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` for every signal that asks to end, `resumed` when the process goes on after a pause."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGBREAK)}
        for number in before:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupt))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    else:
        acts = {signal.SIGINT: interrupt, signal.SIGTERM: interrupt, signal.SIGHUP: interrupt, signal.SIGCONT: resumed}
        wanted = {number: act for number, act in acts.items() if signal.getsignal(number) is not signal.SIG_IGN}
        for number, act in wanted.items():  # what nohup or a shell script has ignored stays ignored
            loop.add_signal_handler(number, act)
        try:
            yield
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)


def _sizes(files: tuple[m.File, ...]) -> tuple[m.FileStatus, ...]:
    """What `files` are now; one that vanished meanwhile is the engine's to tell."""
    return tuple(m.FileStatus(file.name, _size(file), file.media_type) for file in files)


def _size(file: m.File) -> int:
    if isinstance(file, m.MemoryFile):
        return len(file.data)
    try:
        return os.stat(file.path).st_size
    except OSError:
        return 0
