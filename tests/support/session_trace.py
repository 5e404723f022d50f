"""A viewer's session driven like a trace: an event in, actions out, time by hand."""

from __future__ import annotations

import json

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.session import Session, State
from seedshot_desktop.seed.steps import (
    Action,
    Admitted,
    ChunkRead,
    Close,
    ControlReceived,
    Event,
    Knock,
    NoteComplete,
    NoteGreeting,
    NoteProgress,
    Opened,
    SendControl,
    SendData,
)
from seedshot_desktop.seed.transfer import FileEntry, Manifest

VERSION = "AAECAwQF"
"""Of every file here."""
DOCUMENT = Manifest((FileEntry("Notes.pdf", 100, "application/pdf", VERSION),))
"""What nobody sends before it is asked for."""
HELLO = {"type": "hello", "version": 1, "browser": "Firefox 153", "system": "Linux"}
MANIFEST = {
    "type": "manifest",
    "files": [{"name": "Notes.pdf", "size": 100, "media_type": "application/pdf", "version": VERSION}],
}


def said(**fields: object) -> ControlReceived:
    return ControlReceived(json.dumps(fields))


def told(actions: list[Action]) -> list[object]:
    """Actions with their control messages as plain values, so that a trace can be read."""
    return [json.loads(item.text) if isinstance(item, SendControl) else item for item in actions]


class Trace:
    """A session and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.session = Session(now=self.now)

    def __call__(self, event: Event, after: float = 0.0) -> list[object]:
        self.now += after
        return told(self.session.receive(event, self.now))

    def is_in(self, state: State) -> bool:
        return self.session.state is state

    def send_all(self) -> int:
        sent = 0
        while read := self.session.next_chunk():
            assert [type(item) for item in self(ChunkRead(read, bytes(read.length)))] == [SendData]
            sent += read.length
        return sent


def knocking() -> Trace:
    trace = Trace()
    assert trace(Opened()) == [Knock()]
    return trace


def greet(trace: Trace) -> Trace:
    assert trace(ControlReceived(json.dumps(HELLO))) == [NoteGreeting("Firefox 153", "Linux")]
    return trace


def admitted(*, reserved: bool = False) -> Trace:
    trace = knocking()
    assert trace(Admitted(DOCUMENT, reserved)) == [MANIFEST]
    return greet(trace)


def receiving() -> Trace:
    trace = admitted()
    assert trace(said(type="get", request=1, file=0, offset=0)) == [NoteProgress()]
    return trace


def complete() -> Trace:
    trace = receiving()
    assert trace.send_all() == 100
    assert trace(said(type="ack", request=1, held=100)) == [NoteProgress(), NoteComplete()]
    return trace


def ended(word: str, reason: EndReason | None) -> list[object]:
    return [{"type": "ended", "reason": word}, Close(reason, flush=True)]
