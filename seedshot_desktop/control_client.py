"""The byte side of the control socket: one request out, lines back, with a time limit; no Qt.

Unix sockets have timeouts of their own. A Windows named pipe opened as a file
has none, so a thread reads it; the process does not wait for that thread.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from seedshot_desktop.errors import ControlError

_CONNECT_TIMEOUT_S = 2.0
_CHUNK = 64 * 1024
_SILENT = "Seedshot is running but does not answer. Quit it from its tray menu, or end its process, and start it again."


class NotRunningError(ControlError):
    """No app listens."""

    def __init__(self, instead: str = "") -> None:
        super().__init__(f"Seedshot is not running. Start it with: seedshot{instead}")


def exchange(name: str, request: bytes, timeout_s: float | None, max_line: int) -> Iterator[bytes]:
    """Send `request` to the socket or pipe `name`; yield each line of the answer until the app closes.

    `timeout_s` bounds the wait for each piece of the answer, None does not.
    Raises ControlError. Closing the generator closes the connection.
    """
    yield from (_over_pipe if sys.platform == "win32" else _over_socket)(name, request, timeout_s, max_line)


def can_connect(name: str) -> bool:
    """Whether something listens there."""
    try:
        if sys.platform == "win32":
            _open_pipe(name).close()
        else:
            _connect(name).close()
    except ControlError:
        return False
    return True


def _over_socket(name: str, request: bytes, timeout_s: float | None, max_line: int) -> Iterator[bytes]:
    with _connect(name) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(timeout_s)
            yield from _lines(lambda: connection.recv(_CHUNK), max_line)
        except TimeoutError as error:
            raise ControlError(_SILENT) from error
        except (ConnectionError, BrokenPipeError) as error:
            raise ControlError("Seedshot ended before it answered. Start it again with: seedshot") from error


def _connect(name: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_CONNECT_TIMEOUT_S)
    try:
        connection.connect(name)
    except TimeoutError as error:
        connection.close()
        raise ControlError(_SILENT) from error
    except OSError as error:  # no such file, or a file that nobody listens on any more
        connection.close()
        raise NotRunningError from error
    return connection


def _over_pipe(name: str, request: bytes, timeout_s: float | None, max_line: int) -> Iterator[bytes]:
    with _open_pipe(name) as pipe:
        pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        pipe.write(request)
        threading.Thread(target=_pump, args=(pipe, pieces), name="control pipe", daemon=True).start()
        try:
            yield from _lines(lambda: pieces.get(timeout=timeout_s), max_line)
        except queue.Empty as error:
            raise ControlError(_SILENT) from error


def _open_pipe(name: str) -> BinaryIO:
    try:
        return open(name, "r+b", buffering=0)
    except OSError as error:
        raise NotRunningError from error


def _pump(pipe: BinaryIO, pieces: queue.SimpleQueue[bytes]) -> None:
    """Read until the app closes the pipe; an empty piece says so."""
    try:
        while piece := pipe.read(_CHUNK):
            pieces.put(piece)
    except (OSError, ValueError):
        pass  # closed on either side
    pieces.put(b"")


def _lines(receive: Callable[[], bytes], max_line: int) -> Iterator[bytes]:
    """Whole lines out of what `receive` gives, until it gives nothing."""
    held = b""
    while piece := receive():
        held += piece
        *lines, held = held.split(b"\n")
        yield from lines
        if len(held) > max_line:
            raise ControlError("Seedshot answered with more than this version can take. Quit it and start it again.")
