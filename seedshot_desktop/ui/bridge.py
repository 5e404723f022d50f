"""The way from the app to the seeding engine in its child process: commands in, events out by one signal.

The engine is restarted when it dies, with growing pauses, and told of every
live share again, so links work again by themselves. While there are shares it
is asked for a sign of life; one that stands still is ended and started again.
It ends when its standard input closes: whatever becomes of the app, nothing
seeds on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

import seedshot_desktop
from seedshot_desktop.seed import messages
from seedshot_desktop.seed.messages import (
    Command,
    Configure,
    EndReason,
    EngineFailed,
    EngineOptions,
    FrameDecoder,
    Ponged,
    ShareEnded,
    Stop,
)
from seedshot_desktop.ui.heartbeat import BEAT_S, Heartbeat
from seedshot_desktop.ui.retained import Retained

_log = logging.getLogger(__name__)

RESTART_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Between a death of the engine and its next start; the last one repeats."""
_STEADY_S = 30.0
"""An engine that lived this long starts the pauses anew."""
_STOP_TIMEOUT_S = 2.0


class EngineBridge(QObject):
    """Starts, feeds, hears and restarts the engine. Everything happens on the GUI thread, and nothing waits."""

    heard = Signal(object)
    """Every event of the engine, as ``seed.messages.Event``."""
    started = Signal()
    """An engine process runs and has been told all; ``EngineStarted`` follows as an event."""
    died = Signal(str)
    """The engine ended by itself, and why, in a sentence; it will be started again."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        program: Sequence[str] | None = None,
        clock: Callable[[], float] = time.time,
        pauses_s: Sequence[float] = RESTART_PAUSES_S,
        beat_s: float = BEAT_S,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._options = options
        self._program = tuple(program or engine_command())
        self._clock = clock
        self._pauses_s = tuple(pauses_s)
        self._retained = Retained()
        self._process: QProcess | None = None
        self._decoder = FrameDecoder()
        self._problem = ""
        self._deaths = 0
        self._started_at = 0.0
        self._stopping = False
        self._restart = QTimer(self, singleShot=True)
        self._restart.timeout.connect(self._launch)
        self._heartbeat = Heartbeat(beat_s)
        self._beats = QTimer(self, interval=int(beat_s * 1000))
        self._beats.timeout.connect(self._on_beat)
        self._spoke = False

    @property
    def running(self) -> bool:
        """Whether there is an engine to hear a command now."""
        return self._process is not None and self._process.state() == QProcess.ProcessState.Running

    @property
    def process_id(self) -> int | None:
        """The engine's process, while it runs."""
        return int(self._process.processId()) if self._process is not None and self.running else None

    @property
    def watched(self) -> bool:
        """Whether the engine is asked for signs of life: from its first word on, while there is a share."""
        return self._beats.isActive()

    def start(self) -> None:
        """Start the engine; events follow."""
        self._restart.stop()  # or there would be two
        self._launch()

    def send(self, command: Command) -> None:
        """Tell the engine; what makes or ends a share is kept for an engine that is not there yet."""
        if isinstance(command, Configure):
            self._options = command.options
            self._hurry()
        self._retained.note_command(command, self._clock())
        if self.running:
            self._write(command)
        self._watch()

    async def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Revoke everything and end the engine, at the latest after `timeout_s`."""
        self._stopping = True
        self._restart.stop()
        process = self._process
        if process is None or process.state() == QProcess.ProcessState.NotRunning:
            return
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        process.finished.connect(lambda: None if ended.done() else ended.set_result(None))
        self.send(Stop())
        process.closeWriteChannel()
        try:
            await asyncio.wait_for(ended, timeout_s)
        except TimeoutError:
            _log.warning("the engine did not end in time and is killed")
            process.kill()

    def stop_now(self) -> None:
        """As ``stop``, where the session ends and no loop will run again: waits, but never for long."""
        self._stopping = True
        if self._process is not None and self.running:
            self.send(Stop())
            self._process.closeWriteChannel()
            if not self._process.waitForFinished(int(_STOP_TIMEOUT_S * 1000)):
                self._process.kill()

    def _launch(self) -> None:
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
        process.started.connect(self._on_started)
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process, self._decoder, self._problem, self._spoke = process, FrameDecoder(), "", False
        self._started_at = time.monotonic()
        process.start(self._program[0], list(self._program[1:]))

    def _hurry(self) -> None:
        """Other options may be what a failing engine was waiting for."""
        if self._restart.isActive():
            self._deaths = 0
            self._restart.start(0)

    def _on_started(self) -> None:
        self._write(Configure(self._options))
        for share in self._retained.forget_over(self._clock()):
            self.heard.emit(ShareEnded(share, EndReason.EXPIRED))
        for seed in self._retained.replay(self._clock()):
            self._write(seed)
        for unseed in self._retained.ended():
            self._write(unseed)
        self.started.emit()

    def _write(self, command: Command) -> None:
        assert self._process is not None
        self._process.write(messages.frame(command))

    def _on_output(self) -> None:
        assert self._process is not None
        try:
            for data in self._decoder.feed(bytes(self._process.readAllStandardOutput().data())):
                self._hear(messages.decode_event(data))
        except (messages.FrameError, msgspec.MsgspecError):
            self._problem = self.tr("It spoke in a way that the app does not know.")
            self._process.kill()

    def _hear(self, event: messages.Event) -> None:
        if isinstance(event, Ponged):
            self._heartbeat.answered(event.number)
            return
        if isinstance(event, EngineFailed):
            self._problem = event.problem
        self._spoke = True
        self._retained.note_event(event)
        self._watch()
        self.heard.emit(event)

    def _watch(self) -> None:
        """An idle engine is left alone, and so is one that starts: that may take long on a cold disk."""
        needed = self._spoke and self.running and len(self._retained) > 0
        if needed and not self._beats.isActive():
            self._heartbeat.begin(time.monotonic())
            self._beats.start()
        elif not needed:
            self._beats.stop()

    def _on_beat(self) -> None:
        if question := self._heartbeat.beat(time.monotonic()):
            self._write(question)
        elif self._heartbeat.stands_still and self._process is not None:
            _log.warning("the engine does not answer and is killed")
            self._problem = self.tr("It did not answer any more and is being started again.")
            self._beats.stop()
            self._process.kill()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # the one error that is not followed by `finished`
            self._problem = self.tr("Its program could not be started. Install Seedshot again.")
            self._on_finished()

    def _on_finished(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        self._watch()
        if not self._stopping:
            self._start_again()

    def _start_again(self) -> None:
        if time.monotonic() - self._started_at > _STEADY_S:
            self._deaths = 0
        pause_s = self._pauses_s[min(self._deaths, len(self._pauses_s) - 1)]
        self._deaths += 1
        _log.warning("the engine ended by itself; it is started again in %.1f s", pause_s)
        self._restart.start(int(pause_s * 1000))
        self.died.emit(self._problem or self.tr("It ended unexpectedly and is being started again."))


def engine_command() -> tuple[str, ...]:
    """The engine's program and arguments; -P keeps the folder that the app was started in off its import path."""
    return sys.executable, "-P", "-m", "seedshot_desktop.seed.process"


def _environment() -> QProcessEnvironment:
    """This process's, and where the package is not installed but run from its sources, the way to it."""
    environment = QProcessEnvironment.systemEnvironment()
    root = Path(seedshot_desktop.__file__).resolve().parent.parent
    if root.name not in {"site-packages", "dist-packages"}:
        paths = [str(root), *filter(None, [environment.value("PYTHONPATH")])]
        environment.insert("PYTHONPATH", os.pathsep.join(paths))
    return environment
