"""The tray app, started as a person starts it, and asked what it shares over its own control socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.command_line import ROOT
from tests.support.desktop import Person
from tests.support.programs import Program
from tests.support.waiting import DEADLINE_S, until, within

HOTKEY = "ctrl+shift+2"
"""The default, as xdotool names it."""
_ENGINE = "seedshot_desktop.seed.process"
_START_S = 15.0
_FINGERS_S = 0.25
_TALLEST_ICON = 30


class App:
    """A running tray app on a person's desktop."""

    def __init__(self, person: Person, program: Program, env: dict[str, str]) -> None:
        self.person = person
        self.program = program
        self.env = env
        self._pressed_at = 0.0

    async def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """The app's first reply to one request, as the command line sends it."""
        path = Path(self.env["SEEDSHOT_RUNTIME_DIR"]) / "seedshot-desktop.sock"
        reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
        try:
            writer.write(json.dumps({"command": command, **fields}).encode() + b"\n")
            reply: dict[str, Any] = json.loads(await within(reader.readline(), f"the app's answer to {command}"))
            return reply
        finally:
            writer.close()

    async def shares(self) -> list[dict[str, Any]]:
        """The live shares, newest first."""
        return list((await self.ask("list"))["shares"])

    async def share_with(self, deadline_s: float = DEADLINE_S, **fields: Any) -> dict[str, Any]:
        """The newest share, as soon as it has these `fields`."""
        wanted = fields.items()

        async def matching() -> dict[str, Any] | None:
            return next((share for share in await self.shares() if wanted <= share.items()), None)

        return await until(matching, f"a share with {fields}", deadline_s)

    async def is_online(self) -> bool:
        """Whether it runs, answers, and its server is there."""
        assert self.program.runs, f"the app has ended: {self.program.output()}"
        try:
            return bool((await self.ask("list")).get("server") == "online")
        except OSError:
            return False

    def engine(self) -> int:
        """The process id of its engine; 0 while there is none."""
        return next((pid for pid in _children(self.program.pid) if _ENGINE in _command(pid)), 0)

    def large_files(self, size: int) -> set[Path]:
        """Files of `size` bytes or more in its home, or held open by it to write, those without a name included."""
        found = {path for path in self.person.screen.home.rglob("*") if path.is_file() and path.stat().st_size >= size}
        for pid in (self.program.pid, self.engine()):
            found |= {path for path in _open_files(pid) if path.stat().st_size >= size}
        return found

    async def press_hotkey(self) -> None:
        """Press the hotkey; not faster again than fingers can, which would be taken for a held key's repetition."""
        await until(lambda: time.monotonic() - self._pressed_at > _FINGERS_S, "a person's fingers")
        self.person.press(HOTKEY)
        self._pressed_at = time.monotonic()

    async def overlay(self) -> int:
        """The window of the selection, once it covers the screen."""
        return await until(self._covering_window, "the overlay")

    async def no_overlay(self) -> None:
        """Wait until the selection is off the screen."""
        await until(lambda: not self._covering_window(), "the end of the overlay")

    async def new_link(self, before: str = "") -> str:
        """The link on the clipboard, as soon as it is another one than `before`."""

        def copied() -> str:
            text = self.person.clipboard()
            return text if text.startswith("http") and text != before else ""

        return await until(copied, "a link on the clipboard")

    async def capture(self, left: int, top: int, width: int, height: int) -> str:
        """Press the hotkey and drag over a region; the link that is on the clipboard then."""
        before = self.person.clipboard()
        await self.press_hotkey()
        await self.overlay()
        self.person.drag(left, top, left + width - 1, top + height - 1)
        return await self.new_link(before)

    async def choose_in_tray(self, *keys: str) -> None:
        """Right-click the tray icon and go through the menu with `keys`; Right opens a submenu and waits for it."""
        icon = await until(self.person.tray_icon, "the tray icon")
        shown = set(self.windows())
        self.person.click(*icon, button=3)
        await self._another_window(shown, "the tray menu")
        for key in keys:
            shown = set(self.windows())
            self.person.press(key)
            if key == "Right":
                await self._another_window(shown, "the submenu")

    async def _another_window(self, shown: set[int], what: str) -> None:
        """Wait for one that was not `shown` before; a notice may go meanwhile, so counting them tells nothing."""
        await until(lambda: set(self.windows()) - shown, what)

    def windows(self) -> list[int]:
        """Its visible windows and menus, without the icon in the tray, which is a window too."""
        found = self.person.windows_of(self.program.pid)
        return [window for window in found if self.person.place(window)[3] > _TALLEST_ICON]

    def _covering_window(self) -> int:
        size = self.person.screen.size
        return next((window for window in self.windows() if self.person.place(window)[2:] == size), 0)


@asynccontextmanager
async def running_app(person: Person, watched: Path | None = None, **settings: Any) -> AsyncIterator[App]:
    """The app with these `settings`, ready; ended afterwards, with all that it started.

    `watched` is where ``tests.support.watched_app`` writes what it sees of the app from inside.
    """
    env = prepare_settings(person, **settings)
    program = start(env) if watched is None else start_module(env, "tests.support.watched_app", str(watched))
    app = App(person, program, env)
    try:
        await until(app.is_online, "the app", _START_S)
        yield app
    finally:
        await asyncio.to_thread(program.end)


def prepare_settings(person: Person, **settings: Any) -> dict[str, str]:
    """Write settings for an app that stays on this computer; the variables that it is started with."""
    folders = {"SEEDSHOT_CONFIG_DIR": "settings", "SEEDSHOT_RUNTIME_DIR": "run/seedshot"}
    env = dict(person.screen.env)
    for name, folder in folders.items():
        path = person.screen.home / folder
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        env[name] = str(path)
    values = {"listen": "local", "listen_port": 0, **settings}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    (Path(env["SEEDSHOT_CONFIG_DIR"]) / "settings.toml").write_text("\n".join(lines) + "\n")
    return env


def start(env: dict[str, str], *arguments: str) -> Program:
    """``seedshot`` with `arguments`; none start the app."""
    return start_module(env, "seedshot_desktop", *arguments)


def start_module(env: dict[str, str], module: str, *arguments: str) -> Program:
    """A module of ours as a program."""
    return Program([sys.executable, "-m", module, *arguments], env, cwd=ROOT)


def _open_files(pid: int) -> Iterator[Path]:
    """The regular files that a process holds open to write, those without a name too; not the memory that it shares."""
    for opened in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            in_memory = os.readlink(opened).startswith(("/memfd:", "/dev/shm/"))
            if opened.is_file() and not in_memory and _writes(pid, opened.name):
                yield opened


def _writes(pid: int, descriptor: str) -> bool:
    lines = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines()
    flags = next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))
    return flags & os.O_ACCMODE != os.O_RDONLY


def _children(process: int) -> Iterator[int]:
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        yield from map(int, listing.read_text().split())


def _command(process: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return ""
