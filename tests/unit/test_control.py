"""The control socket's protocol, and its client against a toy app on a real Unix socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedshot_desktop import control, control_client
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
)
from seedshot_desktop.control_client import NotRunningError
from seedshot_desktop.errors import ControlError

LISTED = ListedShare("ABCDEFGHIJKLMN", "Screenshot", "http://x/#y", 1.0, 1, 10, 2, 3, 20, expires_at=5.0)


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(folder))
    return folder


@contextlib.contextmanager
def toy_app(converse: Callable[[socket.socket], None]) -> Iterator[None]:
    """An app that hands its first connection to `converse`."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(control.socket_name())
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                converse(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def answering(*replies: bytes) -> Callable[[socket.socket], None]:
    def converse(connection: socket.socket) -> None:
        connection.recv(65536)
        for reply in replies:
            connection.sendall(reply)

    return converse


def until_hung_up(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (ShowRequest("settings"), '{"command":"show","window":"settings"}'),
        (CaptureRequest("all", "/tmp/x.png"), '{"command":"capture","mode":"all","save":"/tmp/x.png"}'),
        (ShareRequest(("/tmp/x",)), '{"command":"share","paths":["/tmp/x"]}'),
        (ListRequest(), '{"command":"list"}'),
        (RevokeRequest(share="ABCDEFGHIJKLMN"), '{"command":"revoke","share":"ABCDEFGHIJKLMN","all":false}'),
        (ReloadRequest(), '{"command":"reload"}'),
        (QuitRequest(), '{"command":"quit"}'),
    ],
)
def test_a_request_is_one_line_of_json(request_: Request, text: str) -> None:
    assert control.encode_request(request_) == text.encode() + b"\n"
    assert control.decode_request(text.encode()) == request_


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"list",
        b"[]",
        b"{}",
        b'{"command":"dance"}',
        b'{"command":"list","more":1}',
        b'{"command":"share"}',
        b'{"command":"share","paths":"x"}',
        b'{"command":"capture","mode":"all of it"}',
        b'{"command":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_answered_with_a_sentence(line: bytes) -> None:
    with pytest.raises(ControlError, match="another version"):
        control.decode_request(line)


def test_a_reply_leaves_out_what_does_not_belong() -> None:
    assert json.loads(control.encode_reply(Reply(ok=True))) == {"ok": True}
    refused = Reply(ok=False, error="No.", code=Code.CANCELLED)
    assert json.loads(control.encode_reply(refused)) == {"ok": False, "error": "No.", "code": "cancelled"}
    assert control.decode_reply(control.encode_reply(Reply(ok=True, shares=(LISTED,)))).shares == (LISTED,)


def test_links_are_not_in_what_is_logged() -> None:
    assert "http" not in repr(Reply(ok=True, link="http://x/#y", shares=(LISTED,)))
    assert "http" not in repr(LISTED)


def test_replies_come_one_after_the_other() -> None:
    first, second = Reply(ok=True, link="http://x/#y"), Reply(ok=True, saved="/tmp/x.png")
    lines = control.encode_reply(first) + control.encode_reply(second)
    with toy_app(answering(lines[:7], lines[7:])):
        assert list(control.client_request(CaptureRequest())) == [first, second]


def test_a_refusal_carries_the_apps_own_words() -> None:
    refused = Reply(ok=False, error="Nothing is shared.", code=Code.NO_SUCH_SHARE)
    with toy_app(answering(control.encode_reply(refused))), pytest.raises(ControlRefusedError) as caught:
        list(control.client_request(RevokeRequest(all=True)))
    assert str(caught.value) == "Nothing is shared."
    assert caught.value.reply == refused


def test_no_app_is_said_so() -> None:
    with pytest.raises(NotRunningError, match=r"Seedshot is not running\. Start it with: seedshot"):
        list(control.client_request(ListRequest()))
    assert not control.is_running()


def test_a_socket_left_behind_is_no_app() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(control.socket_name())
    assert os.path.exists(control.socket_name())
    with pytest.raises(NotRunningError):
        list(control.client_request(ListRequest()))


def test_an_app_that_does_not_answer_is_not_waited_for() -> None:
    with toy_app(until_hung_up), pytest.raises(ControlError, match="does not answer"):
        list(control.client_request(ListRequest(), timeout_s=0.05))


def test_an_app_that_ends_before_it_answers_is_said_so() -> None:
    with toy_app(answering()), pytest.raises(ControlError, match="ended before it answered"):
        list(control.client_request(ListRequest()))


def test_an_answer_of_another_version_is_said_so() -> None:
    with toy_app(answering(b'{"yes": 1}\n')), pytest.raises(ControlError, match="does not know"):
        list(control.client_request(ListRequest()))


def test_an_answer_without_an_end_is_not_collected_for_ever() -> None:
    def converse(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"x" * 65536)

    with toy_app(converse), pytest.raises(ControlError, match="more than"):
        list(control.client_request(ListRequest()))


def test_breaking_off_closes_the_connection() -> None:
    closed = threading.Event()

    def converse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(control.encode_reply(Reply(ok=True)))
        if connection.recv(1) == b"":
            closed.set()

    with toy_app(converse):
        replies = control.client_request(CaptureRequest(), timeout_s=None)
        next(replies)
        del replies
    assert closed.is_set()


def test_the_folder_is_made_for_this_user_alone(runtime_folder: Path) -> None:
    assert Path(control.socket_name()).parent == runtime_folder
    assert runtime_folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_change_is_not_used(runtime_folder: Path) -> None:
    runtime_folder.mkdir()
    runtime_folder.chmod(0o777)
    with pytest.raises(ControlError, match="others may write"):
        control.socket_name()


def test_a_link_in_the_folders_place_is_not_followed(runtime_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime_folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError, match="belongs to somebody else"):
        control.socket_name()


def test_a_path_too_long_for_a_socket_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    with pytest.raises(ControlError, match="SEEDSHOT_RUNTIME_DIR"):
        control.socket_name()


@pytest.mark.parametrize("pieces", [[b"a\nb\n"], [b"a", b"\nb", b"\n"], [b"a\nb\n", b"rest"]])
def test_lines_are_cut_wherever_the_pieces_end(pieces: list[bytes]) -> None:
    source = iter([*pieces, b""])
    assert list(control_client._lines(lambda: next(source), 100)) == [b"a", b"b"]
