"""The server alone: ``seedshot-signal``, or ``python -m signal_server``."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import ipaddress
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from signal_server import __version__
from signal_server.fields import stun_url
from signal_server.gate import Network, host_name
from signal_server.limits import Limits
from signal_server.listen import ListenError
from signal_server.pages import PagesError
from signal_server.protocol import MAX_STUN_URLS
from signal_server.server import ServerConfig, SignalServer

DEFAULT_PORT = 21880

_EPILOG = """\
Exit status: 0 after a clean stop, 1 when the server cannot start, 2 for wrong arguments.
SIGTERM or SIGINT drains: clients are told to connect again, then their sockets are closed with 1012.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(options.stun) > MAX_STUN_URLS:
        parser.error(f"--stun: at most {MAX_STUN_URLS} servers can be named")
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    _allow_many_files()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(_config(options)))
    except (ListenError, PagesError) as error:
        sys.stderr.write(f"seedshot-signal: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


async def _run(config: ServerConfig) -> None:
    server = SignalServer(config)
    stop = asyncio.Event()
    _on_signals(stop)
    host, port = await server.start()
    try:
        sys.stdout.write(f"Listening on {_url(config, host, port)}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await server.drain()


def _url(config: ServerConfig, host: str, port: int) -> str:
    scheme = "https" if config.tls_certificate else "http"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}/"


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed: about twice the messages a second."""
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return factory


def _allow_many_files() -> None:
    """Each socket is an open file; the usual soft limit of 1024 is for programs that use select()."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # Windows has no such limit
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _config(options: argparse.Namespace) -> ServerConfig:
    limits = replace(
        Limits(),
        sockets=options.max_sockets,
        sockets_per_address=options.max_sockets_per_address,
        viewers_per_share=options.max_viewers,
        drain_s=options.drain,
    )
    names_itself = any("*" in url for url in options.stun)
    return ServerConfig(
        host=options.host,
        port=options.port,
        tls_certificate=options.tls_cert,
        tls_key=options.tls_key,
        allowed_hosts=frozenset(options.allowed_host) if options.allowed_host else None,
        trusted_proxies=tuple(options.trust_forwarded_from),
        answers_stun=not options.no_stun and (names_itself or not options.stun),
        stun_urls=tuple(options.stun),
        limits=limits,
    )


def _parser() -> argparse.ArgumentParser:
    default = Limits()
    parser = argparse.ArgumentParser(
        prog="seedshot-signal",
        description="Introduces Seedshot owners and viewers to each other and serves the viewer's page.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="", help="name or address to listen on (default: every address)")
    add(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"TCP port, and UDP port for STUN; 0 for any free one (default: {DEFAULT_PORT})",
    )
    add("--tls-cert", type=Path, metavar="FILE", help="PEM certificate with its chain; makes the server speak https")
    add("--tls-key", type=Path, metavar="FILE", help="PEM private key, where it is not in the certificate's file")
    add(
        "--allowed-host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="answer only to this name and to its own addresses; may be repeated (default: to every name)",
    )
    add(
        "--trust-forwarded-from",
        type=_network,
        action="append",
        default=[],
        metavar="NETWORK",
        help="a reverse proxy whose X-Forwarded-For is believed, e.g. 127.0.0.1 or 10.0.0.0/8; may be repeated",
    )
    add("--no-stun", action="store_true", help="do not answer STUN: links between two home networks need it")
    add(
        "--stun",
        type=_stun,
        action="append",
        default=[],
        metavar="URL",
        help="tell pages and owners of this STUN server instead, e.g. stun:stun.example.org:3478; with * for the host, "
        "of this one under another port; may be repeated (default: this one)",
    )
    add("--max-sockets", type=_count, default=default.sockets, metavar="N", help="WebSockets in all (%(default)s)")
    add(
        "--max-sockets-per-address",
        type=_count,
        default=default.sockets_per_address,
        metavar="N",
        help="WebSockets from one address, an IPv6 /64 counting as one (%(default)s)",
    )
    add(
        "--max-viewers",
        type=_count,
        default=default.viewers_per_share,
        metavar="N",
        help="viewers of one share at once (%(default)s)",
    )
    add(
        "--drain",
        type=_seconds,
        default=default.drain_s,
        metavar="SECONDS",
        help="how long /healthz says 503 before sockets are closed on SIGTERM (%(default)s)",
    )
    add("--verbose", action="store_true", help="log counts every minute; ids and addresses are never logged")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _port(text: str) -> int:
    return _whole(text, 0, 65535)


def _count(text: str) -> int:
    return _whole(text, 1, 10_000_000)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text[:9]) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds


def _host(text: str) -> str:
    name = host_name(text)
    if name is None or name != text.lower().strip("[]"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name without scheme and port")
    return name


def _stun(text: str) -> str:
    try:
        return stun_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a STUN server like stun:stun.example.org:3478") from error


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address or a network") from error


if __name__ == "__main__":
    sys.exit(main())
