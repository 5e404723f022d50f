"""The listening sockets and the certificate, or one sentence about why there is none."""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path

_BACKLOG = 512


class ListenError(Exception):
    """The server cannot listen; the message is a sentence for the person who started it."""


class PortTakenError(ListenError):
    """Every port that was tried is taken."""


def open_socket(host: str, port: int, attempts: int = 1) -> socket.socket:
    """A listening TCP socket on `host` ("": every address) and the first free of `attempts` ports from `port` on.

    Raises PortTakenError, or ListenError for a host or port that cannot be had.
    """
    family, address, dual = _resolve(host)
    candidates = range(port, min(port + max(attempts, 1), 65536)) if port else range(1)
    for candidate in candidates:
        try:
            return socket.create_server((address, candidate), family=family, backlog=_BACKLOG, dualstack_ipv6=dual)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ListenError(f"Cannot listen on port {candidate}: {_reason(error)}.") from error
    last = candidates[-1] if candidates else port
    ports = f"Port {port} is" if last == port else f"Ports {port} to {last} are all"
    raise PortTakenError(f"{ports} taken by another program. Choose another port.")


def open_datagram_socket(host: str, port: int) -> socket.socket:
    """A UDP socket with the addresses of ``open_socket(host, port)``, not blocking; raises ListenError."""
    family, address, dual = _resolve(host)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        sock.bind((address, port))
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ListenError(f"Cannot listen on UDP port {port}: {_reason(error)}.") from error
    return sock


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """A context for TLS 1.2 and up, None without a certificate; raises ListenError for files that cannot be used."""
    if certificate is None:
        if key is not None:
            raise ListenError("A TLS key was given without its certificate.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise ListenError("The TLS certificate and key cannot be used: not PEM, or not of one pair.") from error
    except OSError as error:
        raise ListenError(f"The TLS certificate or key cannot be read: {_reason(error)}.") from error
    return context


def _resolve(host: str) -> tuple[socket.AddressFamily, str, bool]:
    """Family, address, and whether one socket takes both IPv4 and IPv6."""
    if not host:
        dual = socket.has_dualstack_ipv6()
        return (socket.AF_INET6, "", True) if dual else (socket.AF_INET, "", False)
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ListenError("The host to listen on is not known here. Use an address of this computer.") from error
    family, *_, address = min(found, key=lambda item: item[0] != socket.AF_INET)
    return family, str(address[0]), False


def _no_password() -> str:
    """Never ask on the terminal: a server that waits for a passphrase looks like one that hangs."""
    raise ssl.SSLError("the key is encrypted")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
