"""What a viewer asks for together with its secret: granted with the manifest, or never made."""

from __future__ import annotations

import json

import pytest

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.session import State
from seedshot_desktop.seed.steps import (
    Admitted,
    ControlReceived,
    FileBroke,
    FilesReady,
    Knock,
    NoteComplete,
    NoteProgress,
    Opened,
    ShareOver,
    TurnedAway,
)
from seedshot_desktop.seed.transfer import MAX_PICTURE, FileEntry, Manifest
from tests.support.session_trace import HELLO, MANIFEST, PICTURE, Trace, ended, said

LONE_PICTURE = {"request": 1, "file": 0, "offset": 0, "lone_picture": True}
PAIR = Manifest((FileEntry("a.png", 100, "image/png"), FileEntry("b.png", 50, "image/png")))


def wishing(**wish: object) -> Trace:
    trace = Trace()
    trace(Opened())
    assert trace(ControlReceived(json.dumps(HELLO | {"wish": LONE_PICTURE | wish}))) == [Knock("Firefox 153", "Linux")]
    return trace


def test_a_wish_is_granted_with_the_manifest() -> None:
    trace = wishing()
    assert trace.session.next_chunk() is None
    assert trace(Admitted(PICTURE)) == [MANIFEST | {"request": 1}, NoteProgress()]
    assert trace.session.state is State.RECEIVING
    assert trace.send_all() == 100
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    assert trace.session.counts


def test_a_wish_waits_for_files_that_are_being_prepared() -> None:
    trace = wishing()
    assert trace(Admitted(None)) == [{"type": "waiting"}]
    assert trace.session.next_chunk() is None
    assert trace(FilesReady(PICTURE)) == [MANIFEST | {"request": 1}, NoteProgress()]
    assert trace.send_all() == 100


@pytest.mark.parametrize(
    "files",
    [
        PAIR.files,
        (FileEntry("a.pdf", 100, "application/pdf"),),
        (FileEntry("a.svg", 100, "image/svg+xml"),),
        (FileEntry("a.png", MAX_PICTURE + 1, "image/png"),),
    ],
)
def test_a_first_visit_is_sent_nothing_that_the_page_may_not_want(files: tuple[FileEntry, ...]) -> None:
    trace = wishing()
    (manifest,) = trace(Admitted(Manifest(files)))
    assert "request" not in manifest  # type: ignore[operator]
    assert trace.session.next_chunk() is None
    assert trace.session.state is State.WAITING
    assert trace(said(type="get", request=2, file=0, offset=0)) == [NoteProgress()]


def test_a_page_that_knows_the_files_goes_on_where_it_stopped() -> None:
    trace = wishing(request=7, file=1, offset=30, lone_picture=False)
    manifest, noted = trace(Admitted(PAIR))
    assert (manifest["request"], noted) == (7, NoteProgress())  # type: ignore[index]
    assert trace.send_all() == 20
    assert trace(said(type="ack", request=7, held=50)) == [NoteProgress()]
    assert trace(said(type="get", request=7, file=0, offset=0)) == ended("refused", EndReason.REFUSED)


def test_a_page_that_wishes_for_what_it_holds_is_no_view() -> None:
    trace = wishing(offset=100, lone_picture=False)
    trace(Admitted(PICTURE))
    assert trace.session.next_chunk() is None
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    assert not trace.session.counts


@pytest.mark.parametrize(
    "wish", [{"offset": 101}, {"offset": 101, "lone_picture": False}, {"file": 1, "lone_picture": False}]
)
def test_a_wish_for_what_the_files_do_not_have_any_more_was_never_made(wish: dict[str, object]) -> None:
    trace = wishing(**wish)
    assert trace(Admitted(PICTURE)) == [MANIFEST]
    assert trace.session.next_chunk() is None
    assert trace(said(type="get", request=2, file=0, offset=0)) == [NoteProgress()]
    assert trace.send_all() == 100


def test_a_wish_for_a_file_that_broke_is_not_granted() -> None:
    trace = wishing()
    trace(FileBroke(0, "vanished"))
    assert trace(Admitted(PICTURE)) == [MANIFEST, {"type": "failed", "file": 0, "reason": "vanished"}]
    assert trace.session.next_chunk() is None


def test_a_wish_gets_nothing_where_there_is_no_room_or_the_share_has_ended() -> None:
    assert wishing()(TurnedAway("full")) == ended("full", None)
    assert wishing()(TurnedAway("revoked")) == ended("revoked", None)
    trace = wishing()
    trace(Admitted(None))
    assert trace(ShareOver(EndReason.REVOKED)) == ended("revoked", EndReason.REVOKED)
    assert trace(FilesReady(PICTURE)) == []
    assert trace.session.next_chunk() is None


def test_a_wish_with_the_wrong_secret_is_refused() -> None:
    trace = Trace()
    trace(Opened())
    wrong = HELLO | {"secret": "BAECAwQFBgcICQoLDA0ODw", "wish": LONE_PICTURE}
    assert trace(ControlReceived(json.dumps(wrong))) == ended("refused", EndReason.REFUSED)
    assert trace(Admitted(PICTURE)) == []
    assert trace.session.next_chunk() is None
