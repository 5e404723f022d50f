"""The page, its files, robots.txt and /healthz: an allow-list in memory, compressed once, with strict headers.

No request ever names a file on disk: every answer is made when the server
starts, and a path is only a key. What must run before any module can be here is
put into the page, and its policy then allows that one script by its hash. STUN
servers are written into the page's head, for that script to read.
"""

from __future__ import annotations

import gzip
import html
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Response

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "viewer", _HERE.parent / "resources" / "viewer")
"""Where the viewer's files are: in an installed package, in a checkout."""

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""The kinds of file that are served; everything else in the folder is not."""
_PLAIN_NAME = re.compile(r"[a-z0-9_-]+(" + "|".join(map(re.escape, _MEDIA_TYPES)) + ")")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",  # the icon; the picture, made from what came over the data channel
        "media-src blob:",
        "connect-src 'self'",  # the WebSocket on the page's own host: 'self' covers ws: and wss: (CSP 3)
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_INLINED = re.compile(rb'<script src="([a-z0-9_-]+\.js)"></script>')
"""A classic script: the page waits for it, so it comes along."""
_STUN = b'<meta name="stun" content="">'
_NEEDED = re.compile(rb'<link rel="(stylesheet|modulepreload)" href="([a-z0-9_.-]+)">')

_DENIED_FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "serial",
    "usb",
)
PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=()" for feature in _DENIED_FEATURES] + ["clipboard-write=(self)", "fullscreen=(self)"]
)

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet, noimageindex",
}
"""On every answer, errors included."""

_ROBOTS = "User-agent: *\nDisallow: /\n"
_TEXT = "text/plain; charset=utf-8"


class PagesError(Exception):
    """The viewer's files are not where they must be; the message says where they were looked for."""


@dataclass(frozen=True, slots=True)
class _Resource:
    body: bytes = field(repr=False)
    media_type: str
    gzipped: bytes | None = field(default=None, repr=False)
    """None where compressing gains nothing."""
    link: str | None = None
    """The Link header: what the page will need, so that the browser asks before it has parsed anything."""
    policy: str = CONTENT_SECURITY_POLICY


class Pages:
    """Answers every request that is not for a WebSocket."""

    def __init__(self, folder: Path | None = None, stun: Sequence[str] = ()) -> None:
        """`folder` holds the viewer's files; None finds them. `stun`: servers that the page may ask.

        Raises PagesError when there are no files.
        """
        self._resources = {"/robots.txt": _text_resource(_ROBOTS), **_load(folder or find_viewer(), stun)}

    def respond(self, method: str, path: str, accept_encoding: Iterable[str], *, draining: bool = False) -> Response:
        """The answer to `method` on `path` (a query is ignored); `accept_encoding`: that header's lines."""
        if method not in {"GET", "HEAD"}:
            return text_response(
                HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n", Allow="GET, HEAD"
            )
        path = path.partition("?")[0]
        if path == "/healthz":
            response = _health(draining)
        elif resource := self._resources.get(path):
            response = _response(resource, accepts_gzip(accept_encoding))
        else:
            response = text_response(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
        if method == "HEAD":
            response.body = b""
        return response

    @property
    def transfer_size(self) -> int:
        """Bytes of all the page's files as they are sent to a browser."""
        return sum(len(resource.gzipped or resource.body) for resource in self._resources.values())


def find_viewer() -> Path:
    """The folder of the viewer's files; raises PagesError."""
    for folder in _FOLDERS:
        if (folder / "index.html").is_file():
            return folder
    raise PagesError("The viewer's page is missing from this installation. Install the server again.")


def text_response(status: HTTPStatus, text: str, **headers: str) -> Response:
    """A plain answer with the headers that every answer has."""
    response = _response(_text_resource(text), gzip_accepted=False, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def accepts_gzip(lines: Iterable[str]) -> bool:
    """Does an Accept-Encoding header (RFC 9110, section 12.5.3) allow gzip by name, or by ``*``?"""
    weights: dict[str, bool] = {}
    for item in ",".join(lines).split(","):
        coding, *parameters = (part.strip().lower() for part in item.split(";"))
        refused = any(parameter.replace(" ", "").rstrip("0.") == "q=" for parameter in parameters)
        weights[coding] = not refused
    return weights.get("gzip", weights.get("*", False))


def _load(folder: Path, stun: Sequence[str]) -> dict[str, _Resource]:
    files = sorted(path for path in folder.iterdir() if _PLAIN_NAME.fullmatch(path.name) and path.is_file())
    resources = {f"/{path.name}": _resource(path.read_bytes(), _MEDIA_TYPES[path.suffix]) for path in files}
    index = resources.pop("/index.html", None)
    if index is None:
        raise PagesError("The viewer's folder has no index.html. Install the server again.")
    told = _STUN.replace(b'""', f'"{html.escape(" ".join(stun))}"'.encode())
    index = replace(index, body=index.body.replace(_STUN, told))
    resources["/"] = _page(index, {path.name: path.read_bytes() for path in files})
    return resources


def _page(index: _Resource, files: Mapping[str, bytes]) -> _Resource:
    """The page with its classic scripts inside it, and the headers that go with that; raises PagesError."""
    hashes = []

    def inline(found: re.Match[bytes]) -> bytes:
        name = found[1].decode()
        code = files.get(name)
        if code is None or b"</" in code or b"<!--" in code:
            raise PagesError(f"The viewer's {name} is missing or damaged. Install the server again.")
        code = code.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # as a browser reads HTML before it takes the hash
        hashes.append(f"'sha256-{b64encode(sha256(code).digest()).decode()}'")
        return b"<script>" + code + b"</script>"

    page = _resource(_INLINED.sub(inline, index.body), index.media_type)
    policy = CONTENT_SECURITY_POLICY.replace("script-src 'self'", " ".join(("script-src 'self'", *hashes)))
    return replace(page, link=_preloads(index.body), policy=policy)


def _preloads(page: bytes) -> str | None:
    """In the order of the page, which is that of their use; relative, so that they hold under a prefix of a proxy."""
    kinds = {b"stylesheet": "preload; as=style", b"modulepreload": "modulepreload"}
    return ", ".join(f"<{found[2].decode()}>; rel={kinds[found[1]]}" for found in _NEEDED.finditer(page)) or None


def _resource(body: bytes, media_type: str) -> _Resource:
    gzipped = gzip.compress(body, 9, mtime=0)
    return _Resource(body, media_type, gzipped if len(gzipped) < len(body) else None)


def _text_resource(text: str) -> _Resource:
    return _Resource(text.encode(), _TEXT)


def _health(draining: bool) -> Response:
    if draining:
        return text_response(HTTPStatus.SERVICE_UNAVAILABLE, "draining\n")
    return text_response(HTTPStatus.OK, "ok\n")


def _response(resource: _Resource, gzip_accepted: bool, status: HTTPStatus = HTTPStatus.OK) -> Response:
    body = resource.gzipped if gzip_accepted and resource.gzipped is not None else resource.body
    headers = Headers(
        {
            "Date": formatdate(usegmt=True),
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": resource.media_type,
            **SECURITY_HEADERS,
            "Content-Security-Policy": resource.policy,
        }
    )
    if resource.gzipped is not None:
        headers["Vary"] = "Accept-Encoding"
        if body is resource.gzipped:
            headers["Content-Encoding"] = "gzip"
    if resource.link is not None:
        headers["Link"] = resource.link
    return Response(status.value, status.phrase, headers, body)
