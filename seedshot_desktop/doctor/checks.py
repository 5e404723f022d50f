"""The doctor's checks: each a function from nothing to what it found."""

from __future__ import annotations

import os
import platform
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

from seedshot_desktop import __version__, control, settings, system_packages
from seedshot_desktop.doctor.probe_runner import probe
from seedshot_desktop.errors import ControlError
from seedshot_desktop.seed import addresses
from seedshot_desktop.seed.messages import EngineOptions

_LIBRARIES = ("PySide6-Essentials", "aiortc", "websockets", "mss", "uvloop" if sys.platform != "win32" else "winloop")
_PORT_ATTEMPTS = 10
_ANSWER_WITHIN_S = 5.0
_TERMINAL_INSTEAD = "Files are shared from the terminal all the same: seedshot share FILE"


class Finding(Enum):
    """How a check came out."""

    WORKS = "works"
    LIMITED = "limited"
    """Missing or reduced here; sharing works without it."""
    FAILS = "fails"
    """Sharing does not work before this is mended."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    finding: Finding
    details: str
    advice: str = ""
    """What to do; "" when there is nothing to do."""


def every_check() -> Iterator[Check]:
    """Every check, one after the other; takes some seconds."""
    kept = settings.read()
    running = _is_running()
    yield versions()
    yield settings_file(kept)
    yield display()
    if system_packages.has_display():
        yield qt()
        yield tray()
        yield hotkey(kept.settings.hotkey, running=running)
        yield capture()
    yield app(running=running)
    yield links(kept.settings)
    yield server(kept.settings, running=running)
    yield firewall(kept.settings.listen_port)


def versions() -> Check:
    """This program, Python, and the libraries that matter most."""
    found = {name: _version(name) for name in _LIBRARIES}
    missing = [name for name, version in found.items() if version is None]
    details = f"Seedshot {__version__}, Python {platform.python_version()}, " + ", ".join(
        f"{name} {version or 'missing'}" for name, version in found.items()
    )
    if missing:
        return Check("versions", Finding.FAILS, details, "Install what is missing: python3 -m seedshot_desktop")
    pyside = found["PySide6-Essentials"] or ""
    if sys.version_info < (3, 12) and pyside.startswith("6.12."):
        advice = "This PySide6 ends the app on Python 3.11 after a while. Install one before 6.12, or use Python 3.12."
        return Check("versions", Finding.LIMITED, details, advice)
    return Check("versions", Finding.WORKS, details)


def settings_file(kept: settings.Loaded) -> Check:
    """The settings file, and what in it cannot be used."""
    path = settings.settings_path()
    if kept.problems:
        return Check("settings", Finding.LIMITED, str(path), " ".join(kept.problems))
    unknown = f"Not known to this version, and kept: {', '.join(kept.unknown)}." if kept.unknown else ""
    return Check("settings", Finding.WORKS, f"{path}{'' if path.exists() else ' (not there: defaults)'}", unknown)


def display() -> Check:
    """Whether there is a screen, and of which kind."""
    if not system_packages.has_display():
        return Check("display", Finding.LIMITED, "none: DISPLAY and WAYLAND_DISPLAY are not set", _TERMINAL_INSTEAD)
    if sys.platform in ("win32", "darwin"):
        return Check("display", Finding.WORKS, platform.platform(terse=True))
    kinds = [name for name, key in (("Wayland", "WAYLAND_DISPLAY"), ("X11", "DISPLAY")) if os.environ.get(key)]
    desktop = os.environ.get("XDG_CURRENT_DESKTOP", "")
    return Check("display", Finding.WORKS, " and ".join(kinds) + (f", {desktop}" if desktop else ""))


def qt() -> Check:
    """The libraries that Qt needs from the system, and a first connection to the display."""
    missing = system_packages.missing_qt_libraries()
    if missing:
        packages = " ".join(system_packages.QT_LIBRARIES[name] for name in missing)
        details = f"{', '.join(missing)} not found"
        return Check("windows", Finding.LIMITED, details, f"On Debian and Ubuntu: sudo apt-get install {packages}")
    answer = probe("qt")
    return Check("windows", Finding.WORKS if answer.works else Finding.LIMITED, answer.details, answer.advice)


def tray() -> Check:
    """Whether this desktop has a tray."""
    answer = probe("tray")
    return Check("tray", Finding.WORKS if answer.works else Finding.LIMITED, answer.details, answer.advice)


def hotkey(combo: str, *, running: bool) -> Check:
    """Whether the combination in settings can be held; held by the app, it proves itself."""
    answer = probe("hotkey", combo)
    if not answer.works and answer.taken and running:
        return Check("hotkey", Finding.WORKS, f"{combo}, held by the running app or by another program")
    return Check("hotkey", Finding.WORKS if answer.works else Finding.LIMITED, answer.details, answer.advice)


def capture() -> Check:
    """Whether a picture of the screen can be taken."""
    answer = probe("capture")
    return Check("capture", Finding.WORKS if answer.works else Finding.LIMITED, answer.details, answer.advice)


def app(*, running: bool) -> Check:
    """The running app, and where it is spoken to."""
    try:
        place = control.socket_name()
    except ControlError as error:
        return Check("app", Finding.LIMITED, "it cannot be spoken to", str(error))
    return Check("app", Finding.WORKS, f"{'running' if running else 'not running'} ({place})")


def links(kept: settings.Settings) -> Check:
    """What links lead to."""
    if kept.server_url:
        return Check("links", Finding.WORKS, f"lead to {kept.server_url}")
    options = settings.engine_options(kept)
    host = _host_in_links(options)
    url = addresses.base_url_of(host, options.listen_port)
    if host == addresses.LOOPBACK and kept.listen == "local":
        advice = "Settings keep it to this computer. To let others in: seedshot settings listen lan"
        return Check("links", Finding.LIMITED, f"lead to {url}, which only this computer reaches", advice)
    if host == addresses.LOOPBACK and kept.advertised_host:
        advice = "To let others in: seedshot settings --unset advertised_host"
        return Check("links", Finding.LIMITED, f"lead to {url}, which only this computer reaches", advice)
    if host == addresses.LOOPBACK:
        return Check("links", Finding.LIMITED, f"lead to {url}: this computer has no network", "Connect it to one.")
    if kept.advertised_host and not _resolves(host):
        advice = "Correct it, or let it be found out: seedshot settings --unset advertised_host"
        return Check("links", Finding.LIMITED, f"lead to {url}, but {host} is not known here", advice)
    return Check("links", Finding.WORKS, f"lead to {url}")


def server(kept: settings.Settings, *, running: bool) -> Check:
    """The signalling server: the one in settings, or the port of the embedded one."""
    if kept.server_url:
        return _remote_server(kept.server_url.rstrip("/"))
    options = settings.engine_options(kept)
    if _free(options.listen_host, options.listen_port):
        return Check("server", Finding.WORKS, f"port {options.listen_port} is free")
    host = _host_in_links(options)
    if _is_seedshot(addresses.base_url_of(host, options.listen_port)):
        who = "the running app" if running else "another Seedshot"
        return Check("server", Finding.WORKS, f"port {options.listen_port} answers; {who} listens there")
    last = options.listen_port + _PORT_ATTEMPTS
    free = next((port for port in range(options.listen_port + 1, last) if _free(options.listen_host, port)), None)
    if free is None:
        advice = "Choose another one: seedshot settings listen_port 0"
        return Check("server", Finding.FAILS, f"ports {options.listen_port} to {last - 1} are all taken", advice)
    advice = f"Links lead to port {free} instead. To keep one for good: seedshot settings listen_port {free}"
    return Check("server", Finding.LIMITED, f"port {options.listen_port} is taken by another program", advice)


def firewall(port: int) -> Check:
    """Whether one is known to be on; what it lets through, only root may read."""
    if _ufw_enabled():
        advice = f"If others cannot open links: sudo ufw allow {port}/tcp"
        return Check("firewall", Finding.LIMITED, "ufw is on", advice)
    if Path("/run/firewalld").exists() or Path("/run/firewalld.pid").exists():
        advice = f"If others cannot open links: sudo firewall-cmd --permanent --add-port={port}/tcp"
        return Check("firewall", Finding.LIMITED, "firewalld is on", advice)
    if sys.platform == "win32":
        advice = "If others cannot open links, allow Python in Windows' firewall for private networks."
        return Check("firewall", Finding.LIMITED, "not looked at", advice)
    if sys.platform == "darwin":
        advice = "If others cannot open links, allow Python under System Settings, Network, Firewall."
        return Check("firewall", Finding.LIMITED, "not looked at", advice)
    return Check("firewall", Finding.WORKS, "neither ufw nor firewalld is on")


def _host_in_links(options: EngineOptions) -> str:
    if options.advertised_host or not addresses.is_every(options.listen_host):
        return options.advertised_host or options.listen_host
    return addresses.default_route_address() or addresses.LOOPBACK


def _remote_server(url: str) -> Check:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=_ANSWER_WITHIN_S) as answer:  # noqa: S310 - http(s) only
            if answer.status == 200:
                return Check("server", Finding.WORKS, f"{url} answers")
            problem = f"it answers with status {answer.status}"
    except urllib.error.HTTPError as error:
        problem = f"it answers with status {error.code}"
    except (OSError, ValueError) as error:
        problem = str(getattr(error, "reason", error) or "no answer")
    advice = "Links start to work when it answers. Check its address: seedshot settings server_url"
    return Check("server", Finding.FAILS, f"{url} cannot be used: {problem}", advice)


def _is_seedshot(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/healthz", timeout=_ANSWER_WITHIN_S) as answer:  # noqa: S310 - http only
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _free(host: str, port: int) -> bool:
    """Whether the embedded server could listen there."""
    family = socket.AF_INET6 if not host and socket.has_dualstack_ipv6() else socket.AF_INET
    try:
        socket.create_server((host, port), family=family, dualstack_ipv6=family == socket.AF_INET6).close()
    except OSError:
        return False
    return True


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host.strip("[]"), None))
    except (OSError, UnicodeError):
        return False


def _ufw_enabled() -> bool:
    try:
        return "ENABLED=yes" in Path("/etc/ufw/ufw.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _is_running() -> bool:
    try:
        return control.is_running()
    except ControlError:
        return False


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
