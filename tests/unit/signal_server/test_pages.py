"""The pages: an allow-list, its headers, its compression."""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path

import pytest
from websockets.http11 import Response

from signal_server.pages import Pages, PagesError, accepts_gzip, find_viewer

EXPECTED_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=(), "
        "clipboard-write=(self), fullscreen=(self)"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet, noimageindex",
}
"""Written out here on purpose: a change of a header is a decision."""


NEEDS = """
<link rel="modulepreload" href="tiny.js">
<link rel="stylesheet" href="viewer.css">
<link rel="modulepreload" href="main.js">
<link rel="icon" href="icon.svg">
<script type="module" src="main.js"></script>
"""
FIRST = '<script src="first.js"></script>'


@pytest.fixture
def viewer(tmp_path: Path) -> Path:
    files = {
        "index.html": "<!doctype html><title>Seedshot</title>" + NEEDS + "<p>words</p>" * 100,
        "viewer.css": "body { color: black }\n" * 50,
        "main.js": "export {};\n" * 50,
        "tiny.js": "1",
        "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "main.js~": "an editor's copy",
        "types.d.ts": "for the checker",
        "notes.md": "for people",
        ".secret.js": "hidden",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder.js").mkdir()
    return tmp_path


def get(pages: Pages, path: str, method: str = "GET", accept: str = "", draining: bool = False) -> Response:
    return pages.respond(method, path, [accept] if accept else [], draining=draining)


@pytest.mark.parametrize("path", ["/", "/main.js", "/robots.txt", "/healthz", "/nothing"])
def test_every_answer_has_the_strict_headers(viewer: Path, path: str) -> None:
    headers = get(Pages(viewer), path).headers
    assert {name: headers[name] for name in EXPECTED_HEADERS} == EXPECTED_HEADERS
    assert "Server" not in headers
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/?utm_source=chat", "text/html; charset=utf-8"),
        ("/viewer.css", "text/css; charset=utf-8"),
        ("/main.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ],
)
def test_the_viewers_files_are_served(viewer: Path, path: str, media_type: str) -> None:
    response = get(Pages(viewer), path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Length"] == str(len(response.body)) != "0"


@pytest.mark.parametrize(
    "path",
    [
        *("/index.html", "/main.js~", "/types.d.ts", "/notes.md", "/.secret.js", "/folder.js", "/main", "//", "/./"),
        *("/../pages.py", "/%2e%2e/pages.py", "/..%2fpages.py", "/main.js/", "/MAIN.JS", "/signal/", "", "*"),
        *("http://elsewhere.example/", "/main.js\\..\\x", "/viewer/main.js", "/main.js%00.css"),
    ],
)
def test_nothing_else_is(viewer: Path, path: str) -> None:
    assert get(Pages(viewer), path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X"])
def test_other_methods_are_refused(viewer: Path, method: str) -> None:
    response = get(Pages(viewer), "/", method)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/main.js", "/healthz", "/nothing"])
def test_head_is_get_without_a_body(viewer: Path, path: str) -> None:
    pages = Pages(viewer)
    head, full = get(pages, path, "HEAD"), get(pages, path)
    assert head.body == b""
    assert (head.status_code, head.headers["Content-Length"]) == (full.status_code, full.headers["Content-Length"])
    assert get(pages, path).body, "a HEAD must not empty what the next GET gets"


def test_files_are_compressed_where_that_is_accepted_and_gains_something(viewer: Path) -> None:
    pages = Pages(viewer)
    plain, packed = get(pages, "/main.js"), get(pages, "/main.js", accept="br, gzip")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == (viewer / "main.js").read_bytes()
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    tiny = get(pages, "/tiny.js", accept="gzip")
    assert "Content-Encoding" not in tiny.headers
    assert tiny.body == b"1"


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=1.0", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*, gzip;q=0", False),
        ("br", False),
        ("gzipped", False),
        ("", False),
        (";;,,=", False),
    ],
)
def test_accept_encoding(header: str, accepted: bool) -> None:
    assert accepts_gzip([header]) is accepted


def test_the_page_names_what_it_needs_before_it_is_parsed_in_the_order_of_its_use(viewer: Path) -> None:
    link = get(Pages(viewer), "/").headers["Link"]
    assert link == "<tiny.js>; rel=modulepreload, <viewer.css>; rel=preload; as=style, <main.js>; rel=modulepreload"


def test_what_must_run_first_comes_with_the_page_and_its_policy_allows_that_alone(viewer: Path) -> None:
    (viewer / "index.html").write_text(f"<!doctype html>{FIRST}<p>words</p>")
    (viewer / "first.js").write_text("var first = 'ü';\n")
    pages = Pages(viewer)
    page = get(pages, "/")
    assert page.body == "<!doctype html><script>var first = 'ü';\n</script><p>words</p>".encode()
    digest = base64.b64encode(hashlib.sha256("var first = 'ü';\n".encode()).digest()).decode()
    policy = EXPECTED_HEADERS["Content-Security-Policy"]
    allowing = policy.replace("script-src 'self'", f"script-src 'self' 'sha256-{digest}'")
    assert page.headers["Content-Security-Policy"] == allowing
    assert get(pages, "/", accept="gzip").headers["Content-Security-Policy"] == allowing
    for path in ("/first.js", "/nothing", "/healthz"):
        assert get(pages, path).headers["Content-Security-Policy"] == policy, path


def test_stun_servers_stand_in_the_page_and_its_script_stays_the_same(viewer: Path) -> None:
    (viewer / "index.html").write_text(f'<!doctype html><meta name="stun" content="">{FIRST}')
    (viewer / "first.js").write_text("var first;\n")
    without = get(Pages(viewer), "/")
    page = get(Pages(viewer, ("stun:*:21880", 'stun:"<&')), "/")
    told = b'<meta name="stun" content="stun:*:21880 stun:&quot;&lt;&amp;">'
    assert page.body == b"<!doctype html>" + told + b"<script>var first;\n</script>"
    assert without.body == page.body.replace(told, b'<meta name="stun" content="">')
    assert page.headers["Content-Security-Policy"] == without.headers["Content-Security-Policy"]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_in_any_way_as_a_browser_takes_the_hash_of_what_it_has_read(viewer: Path, end: str) -> None:
    (viewer / "index.html").write_text(f"<!doctype html>{FIRST}")
    (viewer / "first.js").write_bytes(f"var a;{end}var b;{end}".encode())
    page = get(Pages(viewer), "/")
    assert page.body == b"<!doctype html><script>var a;\nvar b;\n</script>"
    digest = base64.b64encode(hashlib.sha256(b"var a;\nvar b;\n").digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", [None, "'</script>'", "/* <!-- */"])
def test_a_script_that_cannot_come_with_the_page_is_said_at_the_start(viewer: Path, code: str | None) -> None:
    (viewer / "index.html").write_text(f"<!doctype html>{FIRST}")
    if code is not None:
        (viewer / "first.js").write_text(code)
    with pytest.raises(PagesError, match=r"first\.js is missing or damaged"):
        Pages(viewer)


def test_robots_are_sent_away(viewer: Path) -> None:
    assert get(Pages(viewer), "/robots.txt").body == b"User-agent: *\nDisallow: /\n"


def test_health(viewer: Path) -> None:
    pages = Pages(viewer)
    assert (get(pages, "/healthz").status_code, get(pages, "/healthz").body) == (200, b"ok\n")
    draining = get(pages, "/healthz", draining=True)
    assert (draining.status_code, draining.body) == (503, b"draining\n")
    assert get(pages, "/", draining=True).status_code == 200


def test_a_file_that_changes_on_disk_changes_nothing(viewer: Path) -> None:
    pages = Pages(viewer)
    before = get(pages, "/main.js").body
    (viewer / "main.js").write_text("something else")
    (viewer / "late.js").write_text("something new")
    assert get(pages, "/main.js").body == before
    assert get(pages, "/late.js").status_code == 404


def test_a_missing_page_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(PagesError, match="Install the server again"):
        Pages(tmp_path)


def test_the_real_viewer_is_found_whole() -> None:
    pages = Pages()
    names = {path.name for path in find_viewer().iterdir() if path.suffix in {".js", ".css", ".svg"}}
    assert {"main.js", "viewer.css"} <= names
    assert all(get(pages, f"/{name}").status_code == 200 for name in names)
    page = get(pages, "/")
    assert page.status_code == 200
    assert (find_viewer() / "begin.js").read_bytes() in page.body
    assert page.body.index(b'<meta name="stun" content="">') < page.body.index(b"<script")
    assert page.headers["Content-Security-Policy"].count("'sha256-") == 1
    assert page.headers["Link"].startswith("<viewer.css>; rel=preload; as=style, <main.js>; rel=modulepreload, ")
