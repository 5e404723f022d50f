"""One viewer's life as traces: an event in, actions out, time by hand."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.session import (
    CONNECT_S,
    DOUBT_S,
    HELLO_S,
    MESSAGE_BURST,
    RESERVED_IDLE_S,
    STALL_S,
    State,
)
from seedshot_desktop.seed.steps import (
    Admitted,
    ChunkRead,
    Close,
    ConnectionClosed,
    ControlReceived,
    DiscardData,
    Dismissed,
    Event,
    FileBroke,
    FilesReady,
    Knock,
    NoteComplete,
    NoteGreeting,
    NoteProgress,
    Opened,
    SendData,
    ShareOver,
    SocketLeft,
    TimePassed,
    TurnedAway,
)
from seedshot_desktop.seed.transfer import FailReason, FileEntry, Manifest
from tests.support.session_trace import (
    DOCUMENT,
    HELLO,
    MANIFEST,
    VERSION,
    Trace,
    admitted,
    complete,
    ended,
    greet,
    knocking,
    receiving,
    said,
)


def test_a_whole_visit() -> None:
    trace = Trace()
    assert trace.is_in(State.CONNECTING)
    assert trace(Opened()) == [Knock()]
    assert trace(Admitted(None)) == [{"type": "waiting"}]
    assert trace.is_in(State.WAITING)
    assert trace(ControlReceived(json.dumps(HELLO))) == [NoteGreeting("Firefox 153", "Linux")]
    assert trace(FilesReady(DOCUMENT)) == [MANIFEST]
    assert trace.session.next_chunk() is None
    assert trace(said(type="get", request=1, file=0, offset=0)) == [NoteProgress()]
    assert trace.is_in(State.RECEIVING)
    assert trace.send_all() == 100
    assert trace(said(type="ack", request=1, held=60)) == [NoteProgress()]
    assert (trace.session.held, trace.session.total, trace.session.outstanding) == (60, 100, 40)
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    assert trace.is_in(State.COMPLETE)
    assert trace(said(type="bye")) == [Close(EndReason.CLOSED, flush=False)]
    assert trace.is_in(State.ENDED)


def test_a_view_is_complete_once_even_if_the_file_is_asked_for_again() -> None:
    trace = complete()
    assert trace(said(type="get", request=2, file=0, offset=0)) == [NoteProgress()]
    assert trace.send_all() == 100
    assert trace(said(type="ack", request=2, held=100)) == [NoteProgress()]
    assert trace.is_in(State.COMPLETE)


def test_what_is_superseded_or_stopped_and_has_not_left_never_does() -> None:
    trace = receiving()
    trace.send_all()
    assert trace(said(type="get", request=2, file=0, offset=40)) == [DiscardData(), NoteProgress()]
    trace.send_all()
    assert trace(said(type="stop", request=1)) == [], "an old one"
    assert trace(said(type="stop", request=2)) == [DiscardData()]
    assert trace(said(type="stop", request=2)) == []


def test_an_empty_file_is_complete_when_it_is_acknowledged() -> None:
    trace = greet(knocking())
    trace(Admitted(Manifest((FileEntry("empty", 0, "text/plain", VERSION),))))
    trace(said(type="get", request=1, file=0, offset=0))
    assert trace.session.next_chunk() is None
    assert trace(said(type="ack", request=1, held=0)) == [NoteProgress(), NoteComplete()]


def test_a_connection_that_broke_goes_on_at_its_offset() -> None:
    trace = admitted()
    trace(said(type="get", request=1, file=0, offset=70))
    assert trace.send_all() == 30
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]


def test_who_does_not_know_the_secret_was_never_here() -> None:
    trace = Trace()
    assert trace(ConnectionClosed(stranger=True)) == [Close(EndReason.REFUSED, flush=False)]
    assert not trace.session.admitted


@pytest.mark.parametrize(
    "first",
    [
        {"type": "get", "request": 1, "file": 0, "offset": 0},
        {"type": "ack", "request": 1, "held": 0},
        {"type": "stop", "request": 1},
        {"type": "pong"},
    ],
)
def test_nothing_comes_before_hello(first: dict[str, object]) -> None:
    trace = knocking()
    trace(Admitted(DOCUMENT))
    assert trace(ControlReceived(json.dumps(first))) == ended("refused", EndReason.REFUSED)


def test_hello_is_said_once() -> None:
    trace = admitted()
    assert trace(ControlReceived(json.dumps(HELLO))) == ended("refused", EndReason.REFUSED)


def test_what_a_stranger_says_of_itself_cannot_disguise_itself() -> None:
    trace = knocking()
    hello = HELLO | {"browser": " Fire\u202efox\n\x00\u2028 ", "system": "L\u200binux"}
    assert trace(ControlReceived(json.dumps(hello))) == [NoteGreeting("Firefox", "Linux")]


def test_nothing_is_asked_for_before_the_manifest() -> None:
    trace = greet(knocking())
    trace(Admitted(None))
    assert trace(said(type="get", request=1, file=0, offset=0)) == ended("refused", EndReason.REFUSED)


def test_a_viewer_without_room_is_told_and_was_never_here() -> None:
    trace = knocking()
    assert trace(TurnedAway("full")) == ended("full", None)
    assert not trace.session.admitted


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (EndReason.REVOKED, "revoked"),
        (EndReason.EXPIRED, "expired"),
        (EndReason.USED_UP, "expired"),
    ],
)
@pytest.mark.parametrize("start", [knocking, admitted, receiving, complete])
def test_a_share_that_ends_sends_one_word_and_nothing_more(
    start: Callable[[], Trace], reason: EndReason, word: str
) -> None:
    trace = start()
    wanted = trace.session.next_chunk()
    assert trace(ShareOver(reason)) == ended(word, reason)
    assert trace.session.next_chunk() is None
    if wanted:
        assert trace(ChunkRead(wanted, bytes(wanted.length))) == []
    assert trace(said(type="get", request=9, file=0, offset=0)) == []
    assert trace.session.deadline() is None


@pytest.mark.parametrize("failure", ["vanished", "changed", "unreadable"])
@pytest.mark.parametrize("start", [knocking, admitted, receiving, complete])
def test_a_share_without_a_file_left_ends_with_what_became_of_it(
    start: Callable[[], Trace], failure: FailReason
) -> None:
    trace = start()
    trace(FileBroke(0, failure))
    assert trace(ShareOver(EndReason.BROKEN, failure)) == ended(failure, EndReason.BROKEN)
    assert trace(ConnectionClosed()) == [], "nothing comes after it, neither another reason"


def test_a_share_that_ends_before_the_channels_are_open_just_closes() -> None:
    trace = Trace()
    assert trace(ShareOver(EndReason.REVOKED)) == [Close(EndReason.REVOKED, flush=False)]


def test_the_owner_sends_one_viewer_away() -> None:
    trace = receiving()
    assert trace(Dismissed()) == ended("dismissed", EndReason.DISMISSED)


def test_a_broken_connection_is_lost_and_a_closed_one_is_closed() -> None:
    assert receiving()(ConnectionClosed()) == [Close(EndReason.LOST, flush=False)]
    assert receiving()(ConnectionClosed(clean=True)) == [Close(EndReason.CLOSED, flush=False)]


def test_a_file_that_breaks_is_told_and_no_longer_sent() -> None:
    trace = receiving()
    read = trace.session.next_chunk()
    assert read is not None
    failed = {"type": "failed", "file": 0, "reason": "changed"}
    assert trace(FileBroke(0, "changed")) == [failed]
    assert trace(FileBroke(0, "changed")) == [], "told once"
    assert trace(ChunkRead(read, bytes(100))) == []
    assert trace(said(type="get", request=2, file=0, offset=0)) == [], "it has crossed what was said"
    assert trace.session.next_chunk() is None


def test_a_page_that_repeats_itself_is_told_nothing_and_keeps_no_view() -> None:
    trace = admitted(reserved=True)
    trace(FileBroke(0, "changed"))
    due = trace.session.deadline()
    for number in range(1, 500):
        trace.now += 0.01
        assert trace(said(type="get", request=number, file=0, offset=0)) == []
        assert trace(said(type="stop", request=number)) == []
        assert trace(said(type="pong")) == []
    assert trace.session.deadline() == due


def test_a_file_that_broke_before_the_manifest_is_told_after_it() -> None:
    trace = knocking()
    trace(FileBroke(0, "vanished"))
    assert trace(Admitted(DOCUMENT)) == [MANIFEST, {"type": "failed", "file": 0, "reason": "vanished"}]


# Time


def test_a_viewer_that_never_connects_is_given_up() -> None:
    trace = Trace()
    assert trace.session.deadline() == trace.now + CONNECT_S
    assert trace(TimePassed(), after=CONNECT_S - 0.1) == []
    assert trace(TimePassed(), after=0.1) == [Close(EndReason.LOST, flush=False)]


def test_a_viewer_that_never_says_hello_loses_its_place_and_may_come_again() -> None:
    trace = Trace()
    trace(Opened(), after=5)
    trace(Admitted(DOCUMENT))
    assert trace.session.deadline() == trace.now + HELLO_S
    assert trace(TimePassed(), after=HELLO_S) == [Close(EndReason.LOST, flush=False)]


def test_a_viewer_that_reads_nothing_is_stalled() -> None:
    trace = receiving()
    assert trace.session.deadline() is None, "nothing is outstanding yet"
    trace.send_all()
    assert trace(said(type="ack", request=1, held=50), after=20) == [NoteProgress()]
    assert trace(TimePassed(), after=STALL_S - 1) == []
    assert trace(said(type="ack", request=1, held=50)) == [NoteProgress()], "the same again is no progress"
    assert trace(TimePassed(), after=1) == ended("stalled", EndReason.STALLED)


def test_a_viewer_that_asks_for_nothing_may_stay() -> None:
    trace = complete()
    assert trace.session.deadline() is None
    assert trace(TimePassed(), after=100_000) == []


def test_the_stall_clock_starts_with_the_bytes_not_with_the_question() -> None:
    trace = receiving()
    trace.now += 3600  # a slow disk
    trace.send_all()
    assert trace.session.deadline() == trace.now + STALL_S


def test_a_view_is_not_kept_for_ever_for_a_viewer_that_does_nothing() -> None:
    trace = admitted(reserved=True)
    assert trace(TimePassed(), after=RESERVED_IDLE_S - 1) == []
    assert trace(TimePassed(), after=1) == ended("stalled", EndReason.STALLED)


def test_a_complete_view_needs_no_keeping() -> None:
    trace = admitted(reserved=True)
    trace(said(type="get", request=1, file=0, offset=0))
    trace.send_all()
    trace(said(type="ack", request=1, held=100))
    assert trace.session.deadline() is None


def test_a_gone_signalling_socket_is_doubted_and_a_living_page_answers() -> None:
    trace = complete()
    assert trace(SocketLeft()) == [{"type": "ping"}]
    assert trace.session.deadline() == trace.now + DOUBT_S
    assert trace(SocketLeft()) == [], "one ping is enough"
    assert trace(said(type="pong"), after=0.1) == []
    assert trace.session.deadline() is None


def test_a_killed_browser_is_lost_within_seconds() -> None:
    trace = receiving()
    trace.send_all()
    assert trace(SocketLeft()) == [{"type": "ping"}]
    assert trace(said(type="ack", request=1, held=50), after=0.01) == [NoteProgress()], "it was on its way"
    assert trace(TimePassed(), after=DOUBT_S) == [Close(EndReason.LOST, flush=False)]


def test_a_page_that_goes_on_acknowledging_is_alive() -> None:
    trace = receiving()
    trace.send_all()
    trace(SocketLeft())
    assert trace(said(type="ack", request=1, held=50), after=2) == [NoteProgress()]
    assert trace(TimePassed(), after=DOUBT_S) == []


def test_a_viewer_that_leaves_while_connecting_is_gone_at_once() -> None:
    trace = Trace()
    assert trace(SocketLeft()) == [Close(EndReason.LOST, flush=False)]


def test_a_flood_of_messages_is_refused() -> None:
    trace = receiving()
    for _ in range(int(MESSAGE_BURST) - 2):
        assert trace(said(type="ack", request=1, held=0)) == [NoteProgress()]
    assert trace(said(type="ack", request=1, held=0)) == ended("refused", EndReason.REFUSED)


# Whatever comes

small = st.integers(0, 5)
PICTURE = Manifest((FileEntry("Screenshot.png", 100, "image/png", VERSION),))
texts = st.one_of(
    st.text(max_size=30),
    st.just(json.dumps(HELLO)),
    st.builds(lambda r, f, o: json.dumps({"type": "get", "request": r, "file": f, "offset": o}), small, small, small),
    st.builds(lambda r, h: json.dumps({"type": "ack", "request": r, "held": h}), small, st.integers(0, 100)),
    st.builds(lambda r: json.dumps({"type": "stop", "request": r}), small),
    st.sampled_from(['{"type":"pong"}', '{"type":"bye"}', '{"type":"bye","x":1}', "[]", "{"]),
)
happenings = st.one_of(
    st.builds(ControlReceived, texts),
    st.builds(Opened),
    st.builds(Admitted, st.sampled_from([None, DOCUMENT, PICTURE]), st.booleans()),
    st.builds(FilesReady, st.sampled_from([DOCUMENT, PICTURE])),
    st.builds(FileBroke, st.integers(0, 2), st.sampled_from(["changed", "vanished"])),
    st.builds(SocketLeft),
    st.builds(TimePassed),
    st.just("read"),
)
endings = st.one_of(
    st.builds(ShareOver, st.sampled_from([EndReason.REVOKED, EndReason.EXPIRED])),
    st.builds(Dismissed),
    st.builds(ConnectionClosed, st.booleans(), st.booleans()),
    st.builds(TurnedAway, st.just("full")),
)


@given(st.booleans(), st.lists(st.tuples(happenings, st.floats(0, 40)), max_size=25), endings, st.lists(happenings))
def test_whatever_comes_nothing_raises_and_nothing_follows_the_end(
    let_in: bool, before: list[tuple[object, float]], ending: Event, after: list[object]
) -> None:
    trace = receiving() if let_in else Trace()

    def happen(event: object, later: float) -> list[object]:
        if event != "read":
            return trace(event, later)  # type: ignore[arg-type]
        read = trace.session.next_chunk(7)
        return trace(ChunkRead(read, bytes(read.length)), later) if read else []

    for event, later in before:
        was_over = trace.session.state is State.ENDED
        actions = happen(event, later)
        assert not (was_over and actions)
        assert all(not isinstance(item, Close) for item in actions[:-1]), "Close is the last"
        if isinstance(event, str):
            assert all(isinstance(item, SendData) for item in actions)
    was_over = trace.session.state is State.ENDED
    actions = trace(ending)
    assert was_over or isinstance(actions[-1], Close)
    for event in after:
        assert happen(event, 0.0) == []
        assert trace.session.next_chunk() is None


@given(st.lists(st.tuples(happenings, st.floats(0, 9)), max_size=25))
def test_who_is_not_let_in_gets_nothing_of_the_share(script: list[tuple[object, float]]) -> None:
    trace = Trace()
    for event, later in script:
        if isinstance(event, Admitted | str):
            continue
        for action in trace(event, later):  # type: ignore[arg-type]
            assert not isinstance(action, SendData)
            assert not isinstance(action, dict) or action["type"] in {"ended"}


def again() -> Trace:
    """A page that holds everything has connected again."""
    trace = admitted(reserved=True)
    assert trace(said(type="get", request=1, file=0, offset=100)) == [NoteProgress()]
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    assert trace.is_in(State.COMPLETE)
    return trace


def test_a_page_that_connects_again_and_holds_everything_is_no_view() -> None:
    trace = again()
    assert not trace.session.counts
    assert trace.session.deadline() is None, "nothing is kept for it"
    assert trace(said(type="get", request=2, file=0, offset=100)) == [NoteProgress()]
    assert not trace.session.counts


def test_who_wants_what_it_said_it_held_is_a_view_before_the_first_byte_leaves() -> None:
    trace = again()
    assert trace(said(type="get", request=2, file=0, offset=99)) == [NoteProgress(), NoteComplete()]
    assert trace.session.counts
    assert trace.send_all() == 1
    assert trace(said(type="get", request=3, file=0, offset=0)) == [DiscardData(), NoteProgress()], "once"


def test_the_last_bytes_make_the_view_wherever_the_first_were_had() -> None:
    trace = admitted()
    trace(said(type="get", request=1, file=0, offset=70))
    trace.send_all()
    trace(said(type="ack", request=1, held=100))
    assert trace.session.counts


def test_what_has_no_bytes_is_a_view_when_it_is_acknowledged() -> None:
    trace = greet(knocking())
    trace(Admitted(Manifest((FileEntry("empty", 0, "text/plain", VERSION),))))
    trace(said(type="get", request=1, file=0, offset=0))
    trace(said(type="ack", request=1, held=0))
    assert trace.session.counts
