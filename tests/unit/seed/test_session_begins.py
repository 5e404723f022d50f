"""What an owner sends before it is asked: a lone picture, which every page shows by itself."""

from __future__ import annotations

import json

import pytest

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.session import State
from seedshot_desktop.seed.steps import (
    Admitted,
    FileBroke,
    FilesReady,
    NoteComplete,
    NoteProgress,
    ShareOver,
    TurnedAway,
)
from seedshot_desktop.seed.transfer import MAX_PICTURE, FileEntry, Manifest
from tests.support.session_trace import VERSION, Trace, ended, greet, knocking, said

PICTURE = Manifest((FileEntry("Screenshot.png", 100, "image/png", VERSION),))
BEGUN = {
    "type": "manifest",
    "files": [{"name": "Screenshot.png", "size": 100, "media_type": "image/png", "version": VERSION}],
    "begun": True,
}


def begun() -> Trace:
    trace = knocking()
    assert trace(Admitted(PICTURE)) == [BEGUN, NoteProgress()]
    assert trace.session.state is State.RECEIVING
    return trace


def test_a_lone_picture_is_begun_with_the_manifest() -> None:
    trace = begun()
    assert trace.send_all() == 100
    greet(trace)
    assert trace(said(type="ack", request=0, held=100)) == [NoteProgress(), NoteComplete()]
    assert trace.session.counts


def test_it_waits_for_files_that_are_being_prepared() -> None:
    trace = knocking()
    assert trace(Admitted(None)) == [{"type": "waiting"}]
    assert trace.session.next_chunk() is None
    assert trace(FilesReady(PICTURE)) == [BEGUN, NoteProgress()]
    assert trace.send_all() == 100


@pytest.mark.parametrize(
    "files",
    [
        (FileEntry("a.png", 100, "image/png", VERSION), FileEntry("b.png", 50, "image/png", VERSION)),
        (FileEntry("a.pdf", 100, "application/pdf", VERSION),),
        (FileEntry("a.svg", 100, "image/svg+xml", VERSION),),
        (FileEntry("a.png", MAX_PICTURE + 1, "image/png", VERSION),),
    ],
)
def test_nothing_is_begun_that_the_page_may_not_want(files: tuple[FileEntry, ...]) -> None:
    trace = knocking()
    (manifest,) = trace(Admitted(Manifest(files)))
    assert "begun" not in manifest  # type: ignore[operator]
    assert trace.session.next_chunk() is None
    assert trace.session.state is State.WAITING
    assert greet(trace)(said(type="get", request=1, file=0, offset=0)) == [NoteProgress()]


def test_a_page_that_comes_back_gets_the_rest_instead() -> None:
    trace = greet(begun())
    assert trace(said(type="get", request=7, file=0, offset=70)) == [NoteProgress()]
    assert trace.send_all() == 30
    assert trace(said(type="ack", request=7, held=100)) == [NoteProgress(), NoteComplete()]
    assert trace(said(type="get", request=7, file=0, offset=0)) == ended("refused", EndReason.REFUSED)


def test_a_page_that_holds_everything_is_no_view() -> None:
    trace = greet(begun())
    assert trace(said(type="get", request=1, file=0, offset=100)) == [NoteProgress()]
    assert trace.session.next_chunk() is None
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    assert not trace.session.counts


def test_a_page_that_does_not_want_it_stops_it() -> None:
    trace = greet(begun())
    assert trace(said(type="stop", request=0)) == []
    assert trace.session.next_chunk() is None


def test_nobody_asks_for_what_is_begun() -> None:
    assert greet(begun())(said(type="get", request=0, file=0, offset=0)) == ended("refused", EndReason.REFUSED)


def test_what_was_not_begun_cannot_be_acknowledged() -> None:
    trace = knocking()
    trace(Admitted(Manifest((FileEntry("a.pdf", 0, "application/pdf", VERSION),))))
    assert greet(trace)(said(type="ack", request=0, held=0)) == ended("refused", EndReason.REFUSED)


def test_a_file_that_broke_is_not_begun() -> None:
    trace = knocking()
    trace(FileBroke(0, "vanished"))
    manifest, failed = trace(Admitted(PICTURE))
    assert "begun" not in json.dumps(manifest)
    assert failed == {"type": "failed", "file": 0, "reason": "vanished"}
    assert trace.session.next_chunk() is None


def test_nothing_is_begun_where_there_is_no_room_or_the_share_has_ended() -> None:
    assert knocking()(TurnedAway("full")) == ended("full", None)
    assert knocking()(TurnedAway("revoked")) == ended("revoked", None)
    trace = knocking()
    trace(Admitted(None))
    assert trace(ShareOver(EndReason.REVOKED)) == ended("revoked", EndReason.REVOKED)
    assert trace(FilesReady(PICTURE)) == []
    assert trace.session.next_chunk() is None
