"""The whole app as a process, without a screen: it shares, survives, hands over, and takes everything back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from seedshot_desktop import control, settings
from seedshot_desktop.control import (
    CaptureRequest,
    Code,
    ControlRefusedError,
    ListedShare,
    ListRequest,
    QuitRequest,
    ReloadRequest,
    Reply,
    Request,
    RevokeRequest,
    ShareRequest,
    ShowRequest,
    client_request,
)
from seedshot_desktop.errors import ControlError
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui.alone import AloneLock
from signal_server import protocol
from tests.support.command_line import ROOT
from tests.support.programs import Program
from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until

CONTENT = bytes(range(256)) * 500
_START = "import sys; from seedshot_desktop.cli import main; raise SystemExit(main([]))"

_START_AND_LOG_OUT = """
from PySide6.QtCore import QCoreApplication, QTimer
from seedshot_desktop import app, story

class Story(story.Story):
    async def share_files(self, *arguments):
        shared = await super().share_files(*arguments)
        QTimer.singleShot(300, lambda: QCoreApplication.%s)
        return shared

app.Story = Story
raise SystemExit(app.main())
"""
"""As when a session ends: Qt is asked to quit, or its loop is ended under the app; here once something is shared."""


class App:
    """A running app and what it answers."""

    def __init__(self, program: Program) -> None:
        self.program = program

    async def ask(self, request: Request) -> Reply:
        return await asyncio.to_thread(lambda: next(iter(client_request(request))))

    async def shares(self) -> tuple[ListedShare, ...]:
        return (await self.ask(ListRequest())).shares or ()

    async def online(self) -> bool:
        assert self.program.runs, self.program.output()
        try:
            return (await self.ask(ListRequest())).server == "online"
        except ControlError:
            return False

    def engine(self) -> int:
        """Its engine's process; 0 while there is none."""
        children = Path(f"/proc/{self.program.pid}/task").glob("*/children")
        found = [int(word) for listing in children for word in listing.read_text().split()]
        return next((child for child in found if b"seed.process" in _command(child)), 0)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("SEEDSHOT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").mkdir()
    settings.save(Settings(listen="local", listen_port=0))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "numbers.bin"
    path.write_bytes(CONTENT)
    return str(path)


def start() -> Program:
    return Program([sys.executable, "-c", _START], os.environ, cwd=ROOT)


@asynccontextmanager
async def running() -> AsyncIterator[App]:
    program = start()
    app = App(program)
    try:
        await until(app.online, "the app")
        yield app
    finally:
        await asyncio.to_thread(program.end)


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def gone(process: int) -> Callable[[], bool]:
    return lambda: b"seed.process" not in _command(process)


async def fetched(link: str) -> bytes:
    async with Viewer(link) as viewer:
        await viewer.fetch_all()
        return bytes(viewer.bodies[0])


async def test_a_file_is_shared_seen_and_taken_back(file: str) -> None:
    async with running() as app:
        shared = await app.ask(ShareRequest((file,)))
        assert await fetched(shared.link) == CONTENT
        await until(lambda: _viewed(app, 1), "the view in the list")
        [listed] = await app.shares()
        assert (listed.share, listed.label, listed.link) == (shared.share, "numbers.bin", shared.link)
        assert (listed.size, listed.bytes_sent, listed.viewers) == (len(CONTENT), len(CONTENT), 0)
        assert (await app.ask(RevokeRequest(shared.share))).revoked == 1
        assert await app.shares() == ()
        with pytest.raises(NotSeedingError) as refusal:
            await fetched(shared.link)
        assert isinstance(refusal.value.message, protocol.Revoked)


async def _viewed(app: App, views: int) -> bool:
    return [share.views for share in await app.shares()] == [views]


async def test_a_link_works_again_when_the_engine_was_killed(file: str) -> None:
    async with running() as app:
        shared = await app.ask(ShareRequest((file,)))
        assert await fetched(shared.link) == CONTENT
        await until(lambda: _viewed(app, 1), "the first view")
        killed = app.engine()
        os.kill(killed, signal.SIGKILL)
        await until(lambda: app.engine() not in (0, killed), "another engine")
        await until(app.online, "its server")
        [listed] = await app.shares()
        assert (listed.share, listed.views) == (shared.share, 1)
        assert await fetched(listed.link) == CONTENT
        await until(lambda: _viewed(app, 2), "both views")


async def test_a_killed_app_seeds_nothing_on_and_is_no_hindrance_to_the_next(file: str) -> None:
    async with running() as app:
        await app.ask(ShareRequest((file,)))
        engine = app.engine()
        app.program.kill()
        await until(gone(engine), "the end of its engine")
        async with running() as next_app:
            assert await next_app.shares() == ()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_revokes_everything_within_two_seconds(file: str, number: signal.Signals) -> None:
    async with running() as app:
        await app.ask(ShareRequest((file,)))
        engine, begun = app.engine(), time.monotonic()
        os.kill(app.program.pid, number)
        assert await asyncio.to_thread(app.program.wait) == 0
        assert time.monotonic() - begun < 2.5
        await until(gone(engine), "the end of its engine")
        assert app.program.output() == ""


@pytest.mark.parametrize("end", ["quit()", "exit(0)"])
async def test_a_session_that_ends_takes_everything_back(file: str, end: str) -> None:
    program = Program([sys.executable, "-c", _START_AND_LOG_OUT % end], os.environ, cwd=ROOT)
    app = App(program)
    try:
        await until(app.online, "the app")
        await app.ask(ShareRequest((file,)))
        engine = app.engine()
        assert await asyncio.to_thread(program.wait, 15.0) == 0
        assert gone(engine)()
        assert program.output() == ""
    finally:
        program.end()


async def test_quit_answers_and_ends_it() -> None:
    async with running() as app:
        assert (await app.ask(QuitRequest())).ok
        assert await asyncio.to_thread(app.program.wait) == 0


async def test_a_second_start_hands_over_and_ends() -> None:
    async with running() as app:
        second = start()
        assert await asyncio.to_thread(second.wait, 10.0) == 0
        second.end()
        assert await app.online()


async def test_a_start_waits_for_one_that_is_about_to_end() -> None:
    leaving = AloneLock(control.runtime_folder() / "seedshot-desktop.lock")
    assert leaving.take()
    program = start()
    try:
        await until(lambda: len(os.listdir(f"/proc/{program.pid}/task")) > 1, "its first steps")
        leaving.release()
        await until(App(program).online, "the app")
    finally:
        leaving.release()
        await asyncio.to_thread(program.end)


async def test_one_that_runs_but_does_not_answer_is_said() -> None:
    silent = AloneLock(control.runtime_folder() / "seedshot-desktop.lock")
    assert silent.take()
    program = start()
    try:
        assert await asyncio.to_thread(program.wait, 15.0) == 1
        assert "does not answer" in program.output()
        assert len(program.output().splitlines()) == 1
    finally:
        silent.release()
        program.end()


async def test_what_cannot_be_done_is_answered_with_a_sentence(tmp_path: Path) -> None:
    async with running() as app:
        for request, code in (
            (ShareRequest((str(tmp_path / "missing"),)), Code.FAILED),
            (ShareRequest((str(tmp_path),)), Code.FAILED),
            (CaptureRequest("screen"), Code.FAILED),  # no screen here
            (RevokeRequest("AAAAAAAAAAAAAA"), Code.NO_SUCH_SHARE),
        ):
            with pytest.raises(ControlRefusedError) as refusal:
                await app.ask(request)
            assert refusal.value.reply.code is code
            assert refusal.value.reply.error.endswith(".")
        assert (await app.ask(RevokeRequest(all=True))).revoked == 0
        assert (await app.ask(ShowRequest("shares"))).ok
        assert (await app.ask(ShowRequest("settings"))).ok


async def test_settings_that_changed_are_taken_up(file: str) -> None:
    async with running() as app:
        settings.save(settings.change(settings.load(), {"max_views": 1, "expires_s": 600}))
        assert (await app.ask(ReloadRequest())).ok
        await app.ask(ShareRequest((file,)))
        [listed] = await app.shares()
        assert listed.max_views == 1
        assert listed.expires_at == pytest.approx(time.time() + 600, abs=30)


async def test_a_settings_file_with_a_mistake_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    (tmp_path / "config" / "settings.toml").write_text('listen = "local"\nlisten_port = 0\nmax_views = "many"\n')
    async with running() as app:
        assert await app.online()


async def test_nothing_private_is_logged(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_LOG", "debug")
    async with running() as app:
        shared = await app.ask(ShareRequest((file,)))
        await fetched(shared.link)
        os.kill(app.engine(), signal.SIGKILL)
        await until(app.online, "the app")
        await app.ask(QuitRequest())
        await asyncio.to_thread(app.program.wait)
        said = app.program.output()
    secrets: list[Any] = [shared.link.partition("#")[2], shared.share, "numbers.bin", "127.0.0.1"]
    assert said
    assert not [secret for secret in secrets if secret in said]
