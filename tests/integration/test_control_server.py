"""The control socket from both ends: the app's server, the command line's client, and clients that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from seedshot_desktop import control
from seedshot_desktop.control import (
    CaptureRequest,
    Code,
    ControlRefusedError,
    ListRequest,
    Reply,
    Request,
    ShareRequest,
    ShowRequest,
    client_request,
)
from seedshot_desktop.control_client import NotRunningError
from seedshot_desktop.errors import CaptureError
from seedshot_desktop.ui import control_server
from seedshot_desktop.ui.control_server import ControlServer
from tests.support.qt import Run, qt_loop
from tests.support.waiting import until


class Answers:
    """A small app: answers, fails, stumbles or hesitates by what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.faults: list[BaseException] = []
        self.let_go = asyncio.Event()
        self.cancelled = False

    async def __call__(self, request: Request) -> AsyncIterator[Reply]:
        self.asked.append(request)
        match request:
            case ShowRequest():
                yield Reply(ok=True)
            case ListRequest():
                yield Reply(ok=True, share="first")
                yield Reply(ok=True, share="second")
            case CaptureRequest():
                try:
                    await self.let_go.wait()
                except asyncio.CancelledError:
                    self.cancelled = True
                    raise
                yield Reply(ok=True, link="http://192.0.2.7/#x")
            case ShareRequest():
                raise CaptureError("There is no screen.")
            case _:
                raise ValueError("/home/somebody/secret")


@pytest.fixture(autouse=True)
def _runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / "run"))


@contextmanager
def served() -> Iterator[tuple[Answers, Run[Any]]]:
    with qt_loop() as run:
        answers = Answers()
        server = ControlServer(answers, answers.faults.append)
        assert server.listen()
        try:
            yield answers, run
        finally:
            server.close()


async def ask(request: Request) -> list[Reply]:
    """As the command line asks: blocking, in a thread of its own."""
    return await asyncio.to_thread(lambda: list(client_request(request)))


async def raw(data: bytes) -> bytes:
    """What is answered to these very bytes, up to the end."""

    def talk() -> bytes:
        with dialled(data) as connection:
            return b"".join(iter(lambda: connection.recv(65536), b""))

    return await asyncio.to_thread(talk)


def dialled(data: bytes) -> socket.socket:
    """A connection on which `data` was said."""
    with ExitStack() as stack:
        connection = stack.enter_context(socket.socket(socket.AF_UNIX))
        connection.settimeout(10)
        connection.connect(control.socket_name())
        connection.sendall(data)
        stack.pop_all()  # said: it is the caller's now
    return connection


def test_one_reply_or_several() -> None:
    with served() as (answers, run):
        assert run(ask(ShowRequest("settings"))) == [Reply(ok=True)]
        assert [reply.share for reply in run(ask(ListRequest()))] == ["first", "second"]
        assert answers.asked == [ShowRequest("settings"), ListRequest()]


def test_errors_for_people_arrive_as_sentences() -> None:
    with served() as (_answers, run), pytest.raises(ControlRefusedError, match="There is no screen"):
        run(ask(ShareRequest(("/a",))))


def test_errors_of_our_own_are_logged_and_say_nothing_private() -> None:
    with served() as (answers, run):
        reply = json.loads(run(raw(b'{"command": "revoke"}\n')))
        assert (reply["ok"], reply["code"]) == (False, Code.FAILED.value)
        assert "secret" not in reply["error"]
        assert [type(fault) for fault in answers.faults] == [ValueError]


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"nonsense", b'{"command": "explode"}', b'{"command": "show", "window": "x"}', b"\xff\xfe"]
)
def test_what_is_no_request_is_answered_with_a_sentence(line: bytes) -> None:
    with served() as (answers, run):
        reply = json.loads(run(raw(line + b"\n")))
        assert (reply["ok"], reply["code"]) == (False, Code.MALFORMED.value)
        assert answers.asked == []


def test_a_request_may_arrive_in_pieces_and_only_the_first_counts() -> None:
    with served() as (answers, run):
        assert json.loads(run(raw(b'{"command": "show"}\n{"command": "list"}\n'))) == {"ok": True}
        assert len(answers.asked) == 1


def test_a_line_without_an_end_is_cut_off() -> None:
    async def flood() -> bytes:
        try:
            return await raw(b"x" * (control.MAX_LINE + 70_000))
        except (ConnectionError, BrokenPipeError):
            return b""

    with served() as (answers, run):
        assert run(flood()) == b""
        assert answers.asked == []


def test_whoever_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "_ASKED_WITHIN_MS", 50)
    with served() as (_answers, run):
        assert run(raw(b'{"command"')) == b""


def test_a_long_answer_holds_nobody_else_up() -> None:
    async def story(answers: Answers) -> None:
        waiting = asyncio.create_task(ask(CaptureRequest()), name="capture")
        await until(lambda: answers.asked, "the first request")
        assert await ask(ShowRequest()) == [Reply(ok=True)]
        answers.let_go.set()
        assert (await waiting)[0].link

    with served() as (answers, run):
        run(story(answers))


def test_a_client_that_goes_away_ends_what_it_asked_for() -> None:
    async def story(answers: Answers) -> None:
        connection = dialled(b'{"command": "capture"}\n')
        await until(lambda: answers.asked, "the request")
        connection.close()
        await until(lambda: answers.cancelled, "the end of the capture")
        dialled(b'{"command": "capture"}\n').close()
        assert await ask(ShowRequest()) == [Reply(ok=True)]

    with served() as (answers, run):
        run(story(answers))


def test_too_many_at_once_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "_MAX_CLIENTS", 1)

    async def story(answers: Answers) -> None:
        waiting = asyncio.create_task(ask(CaptureRequest()), name="capture")
        await until(lambda: answers.asked, "the first request")
        try:
            assert await raw(b'{"command": "show"}\n') == b""
        except ConnectionError:
            pass  # it was quicker than our first byte
        answers.let_go.set()
        await waiting

    with served() as (answers, run):
        run(story(answers))


def test_the_socket_is_the_users_alone(tmp_path: Path) -> None:
    with served():
        mode = os.stat(control.socket_name()).st_mode
        assert not stat.S_IMODE(mode) & 0o077
        assert not stat.S_IMODE((tmp_path / "run").stat().st_mode) & 0o077


def test_only_one_app_listens_and_the_next_one_may_after_it() -> None:
    with served() as (answers, run):
        second = ControlServer(answers, answers.faults.append)
        assert not second.listen()
        assert run(ask(ShowRequest())) == [Reply(ok=True)]
    with pytest.raises(NotRunningError):
        list(client_request(ShowRequest()))
    assert second.listen()
    second.close()


def test_a_socket_that_a_killed_app_left_behind_is_no_hindrance() -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(control.socket_name())
    with served() as (_answers, run):
        assert run(ask(ShowRequest())) == [Reply(ok=True)]
