"""The transfer protocol: its wire examples, its sender, and what a hostile viewer can do to it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.transfer import (
    HEADER,
    MAX_MESSAGE,
    MAX_PAYLOAD,
    WINDOW,
    Ack,
    Get,
    Read,
    Sender,
    StopSending,
    Violation,
    decode_from_owner,
    decode_from_viewer,
    encode,
    pack,
    unpack,
)

WIRE = json.loads((Path(__file__).parents[2] / "wire" / "transfer.json").read_text("utf-8"))
DECODE = {"viewer-to-owner": decode_from_viewer, "owner-to-viewer": decode_from_owner}


def named(examples: list[dict[str, object]]) -> list[object]:
    return [pytest.param(item, id=f"{item.get('direction', 'data')}: {item['name']}") for item in examples]


@pytest.mark.parametrize("example", named(WIRE["valid"]))
def test_valid_examples_are_read_and_written_back_the_same(example: dict[str, str]) -> None:
    message = DECODE[example["direction"]](json.dumps(example["message"]))
    assert json.loads(encode(message)) == example["message"]


@pytest.mark.parametrize("example", named(WIRE["hostile"]))
def test_hostile_examples_are_violations(example: dict[str, str]) -> None:
    with pytest.raises(Violation):
        DECODE[example["direction"]](example["text"])


@pytest.mark.parametrize("example", named(WIRE["data"]["valid"]))
def test_data_messages_are_packed_as_in_the_examples(example: dict[str, object]) -> None:
    payload = bytes.fromhex(str(example["payload"]))
    message = pack(int(str(example["request"])), int(str(example["offset"])), payload)
    assert message.hex() == example["hex"]
    request, offset, carried = unpack(message)
    assert (request, offset, bytes(carried)) == (example["request"], example["offset"], payload)


@pytest.mark.parametrize("example", named(WIRE["data"]["hostile"]))
def test_hostile_data_messages_are_violations(example: dict[str, str]) -> None:
    with pytest.raises(Violation):
        unpack(bytes.fromhex(example["hex"]))


def test_data_messages_over_64_kib_are_violations() -> None:
    assert len(pack(1, 0, bytes(MAX_PAYLOAD))) == MAX_MESSAGE
    with pytest.raises(Violation):
        unpack(bytes(MAX_MESSAGE + 1))


def test_an_owner_reads_no_unknown_field_and_a_viewer_passes_over_it() -> None:
    with pytest.raises(Violation):
        decode_from_viewer('{"type":"bye","more":1}')
    assert encode(decode_from_owner('{"type":"waiting","more":1}')) == '{"type":"waiting"}'


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_message_or_a_violation(text: str) -> None:
    try:
        decode_from_viewer(text)
    except Violation:
        return
    assert isinstance(msgspec.json.decode(text), dict)


# The sender


def drain(sender: Sender, file: bytes, largest: int = MAX_PAYLOAD) -> list[tuple[int, int, bytes]]:
    """Everything that the sender wants to send now."""
    sent = []
    while read := sender.next_read(largest):
        message = sender.frame(read, file[read.offset : read.offset + read.length])
        assert message is not None
        assert len(message) <= MAX_MESSAGE
        request, offset, payload = unpack(message)
        sent.append((request, offset, bytes(payload)))
    return sent


SEAMS = [0, 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 2 * MAX_PAYLOAD, 3 * MAX_PAYLOAD + 7]


@pytest.mark.parametrize("size", SEAMS)
@pytest.mark.parametrize("start", [0, 1])
def test_a_file_is_sent_whole_and_in_order_from_its_offset(size: int, start: int) -> None:
    file = bytes(index % 251 for index in range(size))
    start = min(start, size)
    sender = Sender([size])
    sender.get(Get(request=1, file=0, offset=start))
    sent = drain(sender, file)
    assert b"".join(payload for _, _, payload in sent) == file[start:]
    assert [offset for _, offset, _ in sent] == list(range(start, size, MAX_PAYLOAD))
    complete = [sender.complete]
    sender.ack(Ack(request=1, held=size))
    assert [*complete, sender.complete] == [False, True]
    assert sender.held == sender.total == size


def test_several_files_are_complete_when_each_is() -> None:
    sender = Sender([3, 0, 2])
    for request, (file, size) in enumerate([(0, 3), (1, 0), (2, 2)]):
        assert not sender.complete
        sender.get(Get(request, file, 0))
        drain(sender, bytes(size))
        sender.ack(Ack(request, size))
    assert sender.complete
    assert sender.held == 5


def test_nothing_is_sent_before_a_get_or_after_a_stop() -> None:
    sender = Sender([100])
    assert sender.next_read() is None
    sender.get(Get(1, 0, 0))
    assert sender.next_read(10) == Read(1, 0, 0, 10)
    sender.stop(StopSending(1))
    assert sender.next_read() is None
    assert sender.outstanding == 0
    sender.get(Get(2, 0, 50))
    assert sender.next_read() == Read(2, 0, 50, 50)


def test_a_stop_of_an_older_request_stops_nothing() -> None:
    sender = Sender([100])
    sender.get(Get(1, 0, 0))
    sender.get(Get(2, 0, 10))
    sender.stop(StopSending(1))
    assert sender.next_read() == Read(2, 0, 10, 90)


def test_the_window_shuts_and_opens_with_acknowledgements() -> None:
    sender = Sender([3 * WINDOW])
    sender.get(Get(1, 0, 0))
    sent = 0
    while read := sender.next_read():
        assert sender.frame(read, bytes(read.length))
        sent += read.length
    assert WINDOW - MAX_PAYLOAD < sent <= WINDOW
    assert sender.outstanding == sent
    sender.ack(Ack(1, MAX_PAYLOAD))
    assert sender.next_read() == Read(1, 0, sent, MAX_PAYLOAD)


def test_bytes_read_for_a_superseded_request_are_not_sent() -> None:
    sender = Sender([100])
    sender.get(Get(1, 0, 0))
    stale = sender.next_read()
    assert stale is not None
    sender.get(Get(2, 0, 0))
    assert sender.frame(stale, bytes(100)) is None
    fresh = sender.next_read()
    assert fresh is not None
    assert sender.frame(fresh, bytes(100))
    assert sender.frame(fresh, bytes(100)) is None, "the same bytes twice"


def test_a_short_read_is_not_sent() -> None:
    sender = Sender([100])
    sender.get(Get(1, 0, 0))
    read = sender.next_read()
    assert read is not None
    assert sender.frame(read, bytes(99)) is None


def test_a_broken_file_is_not_sent_and_the_others_are() -> None:
    sender = Sender([10, 10])
    sender.get(Get(1, 0, 0))
    sender.fail(0)
    assert sender.next_read() is None
    sender.get(Get(2, 0, 0))
    assert sender.next_read() is None
    sender.get(Get(3, 1, 0))
    assert sender.next_read() == Read(3, 1, 0, 10)
    drain(sender, bytes(10))
    sender.ack(Ack(3, 10))
    assert not sender.complete


def test_a_seek_back_never_takes_progress_away() -> None:
    sender = Sender([100])
    sender.get(Get(1, 0, 0))
    drain(sender, bytes(100))
    sender.ack(Ack(1, 80))
    sender.get(Get(2, 0, 0))
    drain(sender, bytes(100), largest=10)
    sender.ack(Ack(2, 10))
    assert sender.held == 80


def started() -> Sender:
    """A sender in its request 5, of file 0 from byte 10, with bytes 10 to 60 sent and 20 acknowledged."""
    sender = Sender([100, 0])
    sender.get(Get(5, 0, 10))
    assert sender.frame(Read(5, 0, 10, 50), bytes(50))
    sender.ack(Ack(5, 20))
    return sender


@pytest.mark.parametrize(
    "message",
    [
        Get(5, 0, 0),
        Get(4, 0, 0),
        Get(6, 2, 0),
        Get(6, 0, 101),
        Get(6, 1, 1),
        Ack(6, 20),
        Ack(5, 61),
        Ack(5, 19),
        StopSending(6),
    ],
    ids=str,
)
def test_what_no_honest_viewer_says_is_a_violation(message: Get | Ack | StopSending) -> None:
    sender = started()
    with pytest.raises(Violation):
        {Get: sender.get, Ack: sender.ack, StopSending: sender.stop}[type(message)](message)  # type: ignore[operator]
    assert sender.outstanding == 40
    assert sender.held == 20


def test_acknowledgements_of_superseded_requests_are_passed_over() -> None:
    sender = started()
    sender.ack(Ack(4, 100))
    assert sender.held == 20


numbers = st.integers(0, 40)
asked = st.one_of(
    st.builds(Get, numbers, st.integers(0, 3), numbers),
    st.builds(Ack, numbers, numbers),
    st.builds(StopSending, numbers),
    st.none(),
)


@given(st.lists(asked, max_size=60))
def test_whatever_is_asked_the_counts_stay_true(script: list[Get | Ack | StopSending | None]) -> None:
    sizes = [30, 0, 7]
    sender = Sender(sizes)
    for message in script:
        try:
            match message:
                case Get():
                    sender.get(message)
                case Ack():
                    sender.ack(message)
                case StopSending():
                    sender.stop(message)
                case None:
                    if read := sender.next_read(4):
                        assert read.offset + read.length <= sizes[read.file]
                        frame = sender.frame(read, bytes(read.length))
                        assert frame is not None
                        assert len(frame) == HEADER + read.length
        except Violation:
            pass
        assert 0 <= sender.held <= sender.total
        assert 0 <= sender.outstanding <= max(sizes)
        assert not sender.complete or sender.held == sender.total
