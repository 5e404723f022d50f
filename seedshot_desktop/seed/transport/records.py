"""DTLS records in and out of OpenSSL, without what pyOpenSSL does around each of them.

More than half of the time that ``Connection.send`` and ``recv`` take goes into warnings, checks and buffers, anew for
every packet. Here OpenSSL is called through the same binding; where a release of pyOpenSSL keeps that somewhere else,
its public methods do the same more slowly, and ``test_records`` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from OpenSSL import SSL

MAX_RECORD = 2048
MAX_BURST_BYTES = 128 * 1024
_lib: Any = getattr(SSL, "_lib", None)
_ffi: Any = getattr(SSL, "_ffi", None)
FUNCTIONS = ("SSL_write", "SSL_read", "BIO_write")
ATTRIBUTES = ("_ssl", "_into_ssl", "_raise_ssl_error")


def open_records(connection: SSL.Connection) -> Records:
    """The quickest way to the records of a connection whose handshake is over."""
    known = all(hasattr(_lib, name) for name in FUNCTIONS) and hasattr(_ffi, "buffer")
    if known and all(hasattr(connection, name) for name in ATTRIBUTES):
        return DirectRecords(connection)
    return Records(connection)


class Records:
    """Through pyOpenSSL's public methods."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection

    def seal(self, packets: Sequence[bytes]) -> bytes:
        """Their records, one behind the other: at most `MAX_BURST_BYTES`."""
        for packet in packets:
            self._connection.send(packet)
        return self._connection.bio_read(MAX_BURST_BYTES)

    def put(self, datagram: bytes) -> None:
        """One datagram of records has arrived."""
        self._connection.bio_write(datagram)

    def get(self) -> bytes:
        """The next packet in what has arrived. Raises SSL.Error where there is none, ZeroReturnError at the end."""
        return self._connection.recv(MAX_RECORD)


class DirectRecords(Records):
    """Through OpenSSL itself; what goes wrong is raised by pyOpenSSL."""

    def __init__(self, connection: SSL.Connection) -> None:
        super().__init__(connection)
        internals: Any = connection
        self._ssl = internals._ssl
        self._into = internals._into_ssl
        self._raise = internals._raise_ssl_error
        self._buffer = _ffi.new("char[]", MAX_RECORD)
        self._view = _ffi.buffer(self._buffer)
        self._ssl_write, self._ssl_read, self._bio_write = _lib.SSL_write, _lib.SSL_read, _lib.BIO_write

    def seal(self, packets: Sequence[bytes]) -> bytes:
        write, ssl = self._ssl_write, self._ssl
        for packet in packets:
            written = write(ssl, packet, len(packet))
            if written <= 0:
                self._raise(ssl, written)
        return self._connection.bio_read(MAX_BURST_BYTES)

    def put(self, datagram: bytes) -> None:
        self._bio_write(self._into, datagram, len(datagram))  # memory takes everything

    def get(self) -> bytes:
        size = self._ssl_read(self._ssl, self._buffer, MAX_RECORD)
        if size <= 0:
            self._raise(self._ssl, size)
            raise SSL.Error("no packet, and no reason")
        packet: bytes = self._view[:size]
        return packet
