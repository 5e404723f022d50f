"""The engine in a child process: ``python -m seedshot_desktop.seed.process``.

Standard input carries commands, standard output events, each a frame (see
``messages.frame``). The first command is Configure. When standard input ends,
whoever started the process is gone, and it ends at once: no orphan seeds on.

Exit codes: 0 after Stop, 1 when the engine could not start, 2 for a stream that
holds no commands, 3 when standard input ended without Stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from seedshot_desktop.errors import AddressInUseError, SignallingError
from seedshot_desktop.seed.addresses import LOOPBACK, is_every
from seedshot_desktop.seed.engine import Engine
from seedshot_desktop.seed.messages import (
    Command,
    Configure,
    EngineFailed,
    EngineOptions,
    Event,
    FrameDecoder,
    FrameError,
    Stop,
    decode_command,
    frame,
)
from seedshot_desktop.seed.tasks import log, place_of
from signal_server.listen import ListenError, PortTakenError
from signal_server.pages import PagesError
from signal_server.server import ServerConfig, SignalServer

PORT_ATTEMPTS = 32
"""Ports that are tried, from the one in settings on."""
OPEN_FILES = 8192
"""What the soft limit is raised to, where the hard one allows it: each viewer takes a few sockets."""
STOPPED, FAILED, GARBAGE, ORPHANED = 0, 1, 2, 3
_OURS = ("seedshot_desktop", "signal_server")
"""Loggers that keep to the rule that a line names no address, id or file."""
LAST_S = 2.5
"""From the end of standard input to the end of the process, at the latest."""
_READ = 256 * 1024


# The embedded signalling server


class EmbeddedServer:
    """A running signalling server of this process; uplink.HostedServer."""

    def __init__(self, server: SignalServer, host: str) -> None:
        self._server = server
        self.host = host
        """The address at which this computer reaches it."""
        self.port: int = server.address[1]

    async def close(self) -> None:
        """Tell everyone to connect again, then stop."""
        await self._server.close()


async def host_embedded_server(options: EngineOptions) -> EmbeddedServer:
    """Start the server that `options` describe, on this loop; raises SignallingError."""
    config = ServerConfig(
        host=options.listen_host,
        port=options.listen_port,
        port_attempts=PORT_ATTEMPTS,
        allowed_hosts=own_names(options),
    )
    try:
        server = SignalServer(config)
        await server.start()
    except PortTakenError as error:
        raise AddressInUseError(str(error)) from error
    except (ListenError, PagesError) as error:
        raise SignallingError(str(error)) from error
    return EmbeddedServer(server, LOOPBACK if is_every(options.listen_host) else options.listen_host)


def own_names(options: EngineOptions) -> frozenset[str]:
    """Names that the embedded server answers to, besides the address a connection comes in on."""
    host = socket.gethostname().lower()
    names = {host, f"{host.partition('.')[0]}.local", options.advertised_host.strip("[]").lower()}
    return frozenset(names - {""})


# The child process


class Pipes:
    """Frames on two pipes, each with a thread of its own: pipes cannot be awaited on every platform."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._sink = sink
        self._loop = loop
        self._events: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="events", daemon=True)

    def start(self, on_command: Callable[[Command], None], on_end: Callable[[int], None]) -> None:
        """`on_command` and `on_end` (with an exit code) are called on the loop."""
        threading.Thread(target=self._read, args=(on_command, on_end), name="commands", daemon=True).start()
        self._writer.start()

    def send(self, event: Event) -> None:
        """Write an event; the order is kept."""
        self._events.put(frame(event))

    def finish(self, timeout_s: float) -> None:
        """Wait until everything is written, or nobody reads it."""
        self._events.put(None)
        self._writer.join(timeout_s)

    def _read(self, on_command: Callable[[Command], None], on_end: Callable[[int], None]) -> None:
        code, decoder = ORPHANED, FrameDecoder()
        try:
            while data := os.read(self._source.fileno(), _READ):
                self._hand_on(decoder.feed(data), on_command)
        except (FrameError, msgspec.DecodeError):
            code = GARBAGE
        except OSError:
            pass  # as good as its end
        try:
            self._loop.call_soon_threadsafe(on_end, code)
        except RuntimeError:
            return  # the loop has ended already
        threading.Event().wait(LAST_S)
        os._exit(code)  # the loop did not end by itself, and nobody is there to wait for it

    def _hand_on(self, payloads: list[bytes], on_command: Callable[[Command], None]) -> None:
        """A function of its own, so that nothing keeps a file's bytes while the thread waits for more."""
        for payload in payloads:
            self._loop.call_soon_threadsafe(on_command, decode_command(payload))

    def _write(self) -> None:
        try:
            while (data := self._events.get()) is not None:
                self._sink.write(data)
                self._sink.flush()
        except (OSError, ValueError):
            pass  # nobody reads; standard input ends too, and that is what counts


class Child:
    """The engine, its pipes and its exit code."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._engine: Engine | None = None
        self._early: list[Command] = []
        self._options: asyncio.Future[EngineOptions] = asyncio.get_running_loop().create_future()
        self._running: asyncio.Task[None] | None = None
        self._code = STOPPED
        self._told_to_stop = False

    async def run(self) -> int:
        """Until Stop, or the end of standard input; the exit code."""
        self._pipes.start(self._on_command, self._on_end)
        self._running = asyncio.create_task(self._run(), name="engine")
        try:
            await self._running
        except asyncio.CancelledError:
            pass  # its parent is gone
        return self._code

    async def _run(self) -> None:
        options = await self._options
        self._engine = Engine(self._emit, options, host_server=host_embedded_server)
        for command in self._early:
            self._engine.submit(command)
        self._early.clear()
        await self._engine.run()

    def _emit(self, event: Event) -> None:
        if isinstance(event, EngineFailed):
            self._code = FAILED
        self._pipes.send(event)

    def _on_command(self, command: Command) -> None:
        self._told_to_stop = self._told_to_stop or isinstance(command, Stop)
        if self._engine is not None:
            self._engine.submit(command)
        elif isinstance(command, Configure) and not self._options.done():
            self._options.set_result(command.options)
        elif self._options.done():
            self._early.append(command)
        else:
            self._on_end(GARBAGE)

    def _on_end(self, code: int) -> None:
        """Nothing more leaves from here on; only a Stop that came before is carried out to its end."""
        if code == ORPHANED and self._told_to_stop:
            return
        self._code = code
        if self._running is not None:
            self._running.cancel()


def raise_file_limit() -> None:
    """Room for the sockets of many viewers."""
    try:
        import resource  # noqa: PLC0415 - only there on POSIX
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def fast_loop() -> asyncio.AbstractEventLoop:
    """A new loop of uvloop (winloop on Windows), which gives 2.5 times the throughput."""
    if sys.platform == "win32":
        import winloop as fast  # noqa: PLC0415 - one of the two is installed
    else:
        import uvloop as fast  # noqa: PLC0415
    loop: asyncio.AbstractEventLoop = fast.new_event_loop()
    return loop


def log_quietly() -> None:
    """This product's own warnings on standard error; no other library's lines, and no text of an error.

    Both may hold an address, an id or a file's name.
    """
    logging.getLogger().addHandler(logging.NullHandler())  # in place of the one that prints warnings
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("seedshot engine: %(message)s"))
    for name in _OURS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = lambda _kind, error, _trace: _log_fault(error)
    sys.unraisablehook = lambda fault: _log_fault(fault.exc_value)
    threading.excepthook = lambda fault: _log_fault(fault.exc_value)


def _log_fault(error: BaseException | None) -> None:
    if error is not None:
        log.error("an error that nobody expected: %s at %s", type(error).__name__, place_of(error))


async def _main(source: BinaryIO, sink: BinaryIO) -> int:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: _log_fault(fault.get("exception")))
    pipes = Pipes(source, sink, asyncio.get_running_loop())
    code = await Child(pipes).run()
    pipes.finish(timeout_s=0.5)
    return code


def main() -> int:
    """The child process from its beginning to its end."""
    if sys.stderr is None:  # a windowed Python on Windows
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    log_quietly()
    raise_file_limit()
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not print into the events
    return fast_loop().run_until_complete(_main(source, sink))


if __name__ == "__main__":
    exit_code = main()
    sys.stderr.flush()
    os._exit(exit_code)  # a thread that hangs in a name look-up or on a network drive must not keep the process
