"""One app a user: a second start hands over to the first, and a lock says which of two is the first.

The system takes the lock back when its holder dies, however it dies.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from seedshot_desktop import control
from seedshot_desktop.errors import ControlError


def handed_over() -> bool:
    """Whether a running app has taken this start over: it shows its window."""
    if not control.is_running():
        return False
    for _reply in control.client_request(control.ShowRequest()):
        pass
    return True


class AloneLock:
    """Held by the app that runs. The file itself says nothing and is never removed: removing it would race."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Hold it; False where another process does. Raises ControlError where the file cannot be made."""
        try:
            file = self._path.open("ab")
        except OSError as error:
            raise ControlError(
                f"The runtime folder cannot be written: {error.strerror}. "
                "Set SEEDSHOT_RUNTIME_DIR to a folder of your own."
            ) from error
        if not _lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        """The first byte, which need not exist."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
