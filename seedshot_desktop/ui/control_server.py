"""The app's end of the control socket: one request a connection, answered in JSON lines.

It is also what makes the app run once: whoever holds the lock in the runtime
folder listens; a second start finds the socket and hands over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from seedshot_desktop import control
from seedshot_desktop.control import Code, Reply, Request
from seedshot_desktop.errors import ControlError, SeedshotError
from seedshot_desktop.ui.alone import AloneLock

_ASKED_WITHIN_MS = 5000
"""How long a client may take to say what it wants."""
_MAX_CLIENTS = 16

Answer = Callable[[Request], AsyncIterator[Reply]]
Fault = Callable[[BaseException], None]


class ControlServer(QObject):
    """Listens, reads one request from each client, and writes what `answer` gives; `fault` logs what it should not."""

    def __init__(self, answer: Answer, fault: Fault, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answer, self._fault = answer, fault
        self._clients: set[_Client] = set()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        self._lock = AloneLock(control.runtime_folder() / "seedshot-desktop.lock")

    def listen(self) -> bool:
        """Listen from now on; False where another app runs already. Raises ControlError where neither can be."""
        if not self._lock.take():
            return False
        name = control.socket_name()
        QLocalServer.removeServer(name)  # left behind by an app that was killed: we hold the lock
        if not self._server.listen(name):
            raise ControlError(f"The control socket cannot be made: {self._server.errorString()}.")
        return True

    def hush(self) -> None:
        """Hear no one any more, while the app ends; the next one waits for ``close``."""
        self._server.close()

    def close(self) -> None:
        """Let the next app start."""
        self.hush()
        for client in list(self._clients):
            client.close()
        self._lock.release()

    def _on_connection(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            if len(self._clients) >= _MAX_CLIENTS:
                socket.abort()
                socket.deleteLater()
                continue
            client = _Client(socket, self._answer, self._fault, self._clients.discard)
            self._clients.add(client)


class _Client(QObject):
    """One connection, from its request to its last reply."""

    def __init__(self, socket: QLocalSocket, answer: Answer, fault: Fault, gone: Callable[[_Client], None]) -> None:
        super().__init__()
        self._socket, self._answer, self._fault, self._gone = socket, answer, fault, gone
        self._task: asyncio.Task[None] | None = None
        self._held = b""
        socket.setParent(self)
        socket.readyRead.connect(self._on_ready)
        socket.disconnected.connect(self._on_disconnected)
        self._patience = QTimer(self, singleShot=True, interval=_ASKED_WITHIN_MS)
        self._patience.timeout.connect(self.close)
        self._patience.start()
        self._on_ready()
        if socket.state() != QLocalSocket.LocalSocketState.ConnectedState:  # gone before it was looked at
            QTimer.singleShot(0, self, self._on_disconnected)

    def close(self) -> None:
        """Stop answering."""
        self._socket.abort()

    def _on_ready(self) -> None:
        data = bytes(self._socket.readAll().data())
        if self._task is not None:
            return  # one request a connection; more of it is not heard
        self._held += data
        line, newline, _ = self._held.partition(b"\n")
        if newline:
            self._patience.stop()
            self._task = asyncio.get_running_loop().create_task(self._reply(line), name="control request")
        elif len(self._held) > control.MAX_LINE:
            self._socket.abort()

    async def _reply(self, line: bytes) -> None:
        try:
            async for reply in self._answer(control.decode_request(line)):
                self._write(reply)
        except ControlError as error:
            self._write(Reply(ok=False, error=str(error), code=Code.MALFORMED))
        except SeedshotError as error:
            self._write(Reply(ok=False, error=str(error), code=Code.FAILED))
        except Exception as error:
            self._fault(error)
            self._write(Reply(ok=False, error="Seedshot could not do that: something went wrong.", code=Code.FAILED))
        self._socket.disconnectFromServer()

    def _write(self, reply: Reply) -> None:
        if self._socket.state() == QLocalSocket.LocalSocketState.ConnectedState:
            self._socket.write(control.encode_reply(reply))

    def _on_disconnected(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._gone(self)
        self.deleteLater()
