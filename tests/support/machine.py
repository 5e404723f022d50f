"""What the tests need of the machine besides Python: browsers, an X server, a desktop; standard library only.

On Debian and Ubuntu what is missing is installed as root; otherwise the
command to type is named. A missing browser is a failure, not a smaller run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from seedshot_desktop import system_packages

TESTS = Path(__file__).resolve().parent.parent
Say = Callable[[str], None]


class MachineError(Exception):
    """Something is missing; the message says what, and what to type."""


@dataclass(frozen=True)
class Need:
    """One program, the names that it goes by, and the package of Debian that brings it."""

    programs: tuple[str, ...]
    package: str
    why: str

    @property
    def is_met(self) -> bool:
        """Whether one of the names is on the path."""
        return any(shutil.which(program) for program in self.programs)


EVERYWHERE = (Need(("node", "nodejs"), "nodejs", "runs the tests of the page's modules"),)
ON_LINUX = (
    Need(("chromium", "chromium-browser", "google-chrome"), "chromium", "opens links"),
    Need(("firefox-esr", "firefox"), "firefox-esr", "opens links"),
    Need(("Xvfb",), "xvfb", "the screen that is captured"),
    Need(("xev",), "x11-utils", "sees the keys that other programs see"),
    Need(("xmodmap",), "x11-xserver-utils", "takes keys off the keyboard"),
    Need(("setxkbmap",), "x11-xkb-utils", "changes the keyboard layout under the hotkey"),
    Need(("openbox",), "openbox", "the window manager"),
    Need(("tint2",), "tint2", "the panel with the tray"),
    Need(("xdotool",), "xdotool", "presses keys and moves the pointer"),
    Need(("xclip",), "xclip", "reads the clipboard"),
    Need(("dbus-daemon",), "dbus", "the desktop's bus"),
    Need(("ip",), "iproute2", "makes networks to lose"),
    Need(("nft",), "nftables", "routers that translate addresses"),
    Need(("turnserver",), "coturn", "relays to a viewer"),
    Need(("unshare",), "util-linux", "keeps them apart from this one"),
    Need(("fc-list",), "fontconfig", "finds fonts"),
)
LINUX_ONLY = re.compile(
    r"from tests\.(netlab\.(lab|namespaces)|support\.(app|browsers|chromium|desktop|firefox|overlay|programs|screen))"
    r"|async_playwright"
)
"""What a test imports that runs on X11, in network namespaces, or on the browsers that Debian brings."""
LIBRARIES = {"libatomic.so.1": "libatomic1"}
"""What Playwright's own copy of Node.js loads and does not bring."""
FONTS = "fonts-dejavu-core"
OLDEST_NODE = (18, 19)


def not_run_here() -> list[str]:
    """The test modules that this platform cannot run; pytest does not collect them."""
    modules = [] if sys.platform == "linux" else sorted(TESTS.rglob("test_*.py"))
    return [str(path) for path in modules if LINUX_ONLY.search(path.read_text(encoding="utf-8"))]


def prepare(say: Say) -> None:
    """See to everything that the tests need here; raises MachineError."""
    missing = [need for need in wanted() if not need.is_met]
    packages = [need.package for need in missing]
    if sys.platform == "linux":
        packages += [system_packages.QT_LIBRARIES[name] for name in system_packages.missing_qt_libraries()]
        packages += [package for name, package in LIBRARIES.items() if not system_packages.loads(name)]
        if not _has_fonts():
            packages.append(FONTS)
    if packages:
        _install(packages, missing, say)
    if lacking := [need for need in wanted() if not need.is_met]:
        raise MachineError(_explain(lacking, [need.package for need in lacking]))
    node_command()


def wanted() -> Iterable[Need]:
    """The programs that the tests of this platform run."""
    return EVERYWHERE + ON_LINUX if sys.platform == "linux" else EVERYWHERE


def node() -> str:
    """The path of Node.js; raises MachineError."""
    for program in EVERYWHERE[0].programs:
        if path := shutil.which(program):
            return path
    raise MachineError(_explain(EVERYWHERE, ["nodejs"]))


def _install(packages: list[str], missing: list[Need], say: Say) -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise MachineError(_explain(missing, packages))
    say(f"Installing from the system's packages: {' '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stdout.splitlines()[-10:])
            raise MachineError(f"{tail}\napt-get {command[0]} failed. {_explain(missing, packages)}")


def _explain(missing: Iterable[Need], packages: list[str]) -> str:
    lines = [f"  {' or '.join(need.programs)}: {need.why}" for need in missing]
    if shutil.which("apt-get"):
        known = f"Type: sudo apt-get install {' '.join(packages)}"
    else:
        known = f"Install them with your system's packages (Debian calls them {' '.join(packages)})."
    return "\n".join(["The tests need programs that are not here.", *lines, known])


def _has_fonts() -> bool:
    program = shutil.which("fc-list")
    if program is None:
        return False
    return bool(subprocess.run([program], capture_output=True, check=False).stdout.strip())


def node_command() -> list[str]:
    """Node.js, told to take .js files for modules where it would not see that by itself; raises MachineError."""
    path = node()
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major, minor = (int(number) for number in version.lstrip("v").split(".")[:2])
    if (major, minor) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise MachineError(f"The tests of the page need Node.js {oldest} or newer; this is {version}.")
    sees = (major, minor) >= (22, 7) or (20, 19) <= (major, minor) < (21, 0)
    return [path] if sees else [path, "--experimental-default-type=module"]
