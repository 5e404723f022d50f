"""A desktop of its own for a test: an X server without a monitor, a window manager, a panel with a tray, a bus.

Works as root and without a display, on a display number that the server
chooses, with a home folder that goes with it. Nothing of the person's own
desktop is seen or touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.programs import Program, find, read_line
from tests.support.waiting import wait_until

_TRAY_ICON_PX = 22
_START_S = 30.0
"""For a desktop to come up on a machine that is busy with everything else."""
_PANEL = f"""
panel_items = S
panel_position = bottom right horizontal
panel_size = 200 30
panel_monitor = all
wm_menu = 0
systray_padding = 4 2 4
systray_icon_size = {_TRAY_ICON_PX}
systray_sort = right2left
background_color = #202020 100
"""
_WINDOW_MANAGER = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <theme><name>Clearlooks</name><animateIconify>no</animateIconify></theme>
  <desktops><number>2</number></desktops>
  <focus><focusNew>yes</focusNew></focus>
</openbox_config>
"""
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")


class Screen:
    """One desktop; made by ``open_screen``."""

    def __init__(self, display: str, env: dict[str, str], home: Path, size: tuple[int, int]) -> None:
        self.display = display
        self.env = env
        """What programs of this desktop are started with."""
        self.home = home
        """The person's home folder; the desktop's settings are in it."""
        self.size = size
        """Width and height in pixels."""


@contextmanager
def open_screen(*, width: int = 1280, height: int = 800, manager: bool = True, tray: bool = True) -> Iterator[Screen]:
    """A desktop of `width` by `height` pixels; ends everything on it that ``Program`` started."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(_folder()))
        env = _environment(home)
        env["DBUS_SESSION_BUS_ADDRESS"] = _start_bus(stack, env, home)
        env["DISPLAY"] = _start_server(stack, env, width, height)
        if manager:
            _start_manager(stack, env, home)
        if tray:
            _start_panel(stack, env, home)
        yield Screen(env["DISPLAY"], env, home, (width, height))


@contextmanager
def open_bus() -> Iterator[str]:
    """The address of a session bus without a screen."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(_folder()))
        yield _start_bus(stack, _environment(home), home)


@contextmanager
def _folder() -> Iterator[str]:
    """A folder that goes in the end, whatever a program that is just ending still writes into it."""
    folder = tempfile.mkdtemp(prefix="seedshot-desktop-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    folders = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}
    for name, folder in {**folders, "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp"}.items():
        (home / folder).mkdir(parents=True, mode=0o700)
        env[name] = str(home / folder)
    return {**env, "HOME": str(home), "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}


def _start_server(stack: ExitStack, env: dict[str, str], width: int, height: int) -> str:
    read_end, write_end = os.pipe()
    command = [find("Xvfb"), "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24"]
    server = Program([*command, "-nolisten", "tcp", "-noreset"], env, pass_fds=[write_end])
    stack.callback(server.end)
    os.close(write_end)
    number = read_line(read_end)
    assert number, f"Xvfb did not start: {server.output()}"
    return f":{number}"


def _start_bus(stack: ExitStack, env: dict[str, str], home: Path) -> str:
    read_end, write_end = os.pipe()
    listen = f"unix:path={home}/run/bus"
    command = [find("dbus-daemon"), "--session", "--nofork", f"--address={listen}", f"--print-address={write_end}"]
    bus = Program(command, env, pass_fds=[write_end])
    stack.callback(bus.end)
    os.close(write_end)
    address = read_line(read_end)
    assert address, f"dbus-daemon did not start: {bus.output()}"
    return address


def _start_manager(stack: ExitStack, env: dict[str, str], home: Path) -> None:
    config = home / ".config" / "openbox-rc.xml"
    config.write_text(_WINDOW_MANAGER)
    manager = Program([find("openbox"), "--sm-disable", "--config-file", str(config)], env)
    stack.callback(manager.end)
    _wait_for(env, manager, "get_num_desktops")


def _start_panel(stack: ExitStack, env: dict[str, str], home: Path) -> None:
    config = home / ".config" / "tint2rc"
    config.write_text(_PANEL)
    panel = Program([find("tint2"), "-c", str(config)], env)
    stack.callback(panel.end)
    _wait_for(env, panel, "search", "--onlyvisible", "--class", "tint2")


def _wait_for(env: dict[str, str], program: Program, *question: str) -> None:
    """Until xdotool has an answer to `question`: the window manager is at work, the panel is on the screen."""

    def answered() -> bool:
        assert program.runs, f"it ended: {program.output()}"
        return subprocess.run([find("xdotool"), *question], env=env, capture_output=True, check=False).returncode == 0

    wait_until(answered, f"xdotool {' '.join(question)}", _START_S)
