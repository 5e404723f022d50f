"""The parameters of SCTP's chunks, looked at before aiortc reads them (pure)."""

from __future__ import annotations

from seedshot_desktop.seed.transport.inbound import ViolationError

_PARAMETERS_AT = {1: 16, 2: 16, 4: 0, 6: 0, 9: 0, 130: 0}
"""Where the parameters of INIT, INIT ACK, HEARTBEAT, ABORT, ERROR and RE-CONFIG begin."""


def check_parameters(kind: int, body: bytes) -> None:
    """Raise ViolationError unless the parameters of a chunk of type `kind` are in order (RFC 9260, section 3.2.1).

    A length counts the parameter's own four bytes; aiortc goes by it without a look.
    """
    at = _PARAMETERS_AT.get(kind, len(body))
    while at + 4 <= len(body):
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(body):
            raise ViolationError("a parameter of a wrong length")
        at += (length + 3) & ~3
