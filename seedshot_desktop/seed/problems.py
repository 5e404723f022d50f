"""What goes wrong with the signalling server, in sentences for the person at the screen; they name no address."""

from __future__ import annotations

import ssl

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from signal_server.protocol import CloseCode, ErrorCode

REFUSALS = {
    ErrorCode.REVOKED: "The server says that this link was taken back. Share it again to get a new one.",
    ErrorCode.TOO_MANY_SHARES: "The server takes no more shares from you. Revoke one that is no longer needed.",
}
"""Why it does not take a share."""


def problem_of(error: Exception) -> str:
    """A sentence about why the server cannot be used; it names no address."""
    match error:
        case ConnectionClosed():
            return _closed(error.rcvd.code if error.rcvd is not None else None)
        case InvalidStatus():
            status = error.response.status_code
            return f"The server answered with HTTP status {status}. Check its address in settings."
        case ImportError() | ProxyError():
            return "The server cannot be reached through this computer's proxy. Check the proxy's settings."
        case InvalidURI() | ValueError() if not isinstance(error, ssl.SSLError):
            return "The server's address is not one. Check it in settings."
        case ssl.SSLCertVerificationError():
            return "The server's certificate is not valid. Check the server's address, and this computer's clock."
        case ssl.SSLError():
            return "No secure connection to the server could be made. Check its address in settings."
        case InvalidHandshake() | InvalidMessage():
            return "What answered is not a Seedshot server. Check its address in settings."
        case TimeoutError():
            return "The server does not answer. Trying again by itself."
        case ConnectionRefusedError():
            return "The server is not running. Trying again by itself."
        case _:
            return "The server cannot be reached. Check this computer's network; trying again by itself."


def _closed(code: int | None) -> str:
    match code:
        case CloseCode.SERVICE_RESTART:
            return "The server is being restarted. Connecting again."
        case CloseCode.TRY_AGAIN_LATER:
            return "The server takes no more connections now. Trying again by itself."
        case CloseCode.POLICY | CloseCode.TOO_BIG:
            return "The server broke off the connection. Trying again by itself."
        case _:
            return "The connection to the server broke. Connecting again."
