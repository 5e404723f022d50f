"""Programs that a test starts: found on the path, ended by their process group, their last words kept."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE_S = 5.0


def find(*names: str) -> str:
    """The path of the first of `names` that is installed; a missing program fails the test."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise AssertionError(f"{' or '.join(names)} is not installed; `python3 -m tests` installs what the tests need")


class Program:
    """A running program in a process group of its own; ``end`` ends all of it."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], *, pass_fds: Sequence[int] = (), cwd: Path | None = None
    ) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end
        self.process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._words,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def output(self) -> str:
        """All that it has written so far."""
        size = os.fstat(self._words.fileno()).st_size
        return os.pread(self._words.fileno(), size, 0).decode(errors="replace")

    def wait(self, deadline_s: float = _PATIENCE_S) -> int:
        """Its exit code; subprocess.TimeoutExpired when it goes on."""
        return self.process.wait(deadline_s)

    def kill(self) -> None:
        """End it, and it alone, without a chance to say anything."""
        self.process.kill()
        self.process.wait(_PATIENCE_S)

    def end(self) -> None:
        """Ask it to end, make it end, and everything that it started and that still belongs to it."""
        if self.runs:
            self.process.terminate()
            try:
                self.process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._kill_group()
        self.process.wait(_PATIENCE_S)
        self._words.close()

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left in it


def read_line(descriptor: int) -> str:
    """One line from a pipe, as Xvfb and dbus-daemon announce where they are; closes it."""
    with os.fdopen(descriptor, encoding="utf-8") as pipe:
        return pipe.readline().strip()


def free_port() -> int:
    """A port of this computer that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
