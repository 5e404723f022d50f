"""The signalling protocol against the examples that both languages read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_server import protocol
from signal_server.protocol import ErrorCode, ProtocolError

EXAMPLES = json.loads((Path(__file__).parents[2] / "wire" / "signalling.json").read_text())
DECODE = {
    "owner-to-server": protocol.decode_from_client,
    "viewer-to-server": protocol.decode_from_client,
    "server-to-owner": protocol.decode_to_owner,
    "server-to-viewer": protocol.decode_to_viewer,
}
REFUSED = {ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE}


def _examples(kind: str) -> list[Any]:
    return [pytest.param(item, id=f"{item['direction']}: {item['name']}") for item in EXAMPLES[kind]]


@pytest.mark.parametrize("example", _examples("valid"))
def test_valid_message_is_read_and_written_the_same(example: dict[str, Any]) -> None:
    message = DECODE[example["direction"]](json.dumps(example["message"]))
    assert json.loads(protocol.encode(message)) == example["message"]


@pytest.mark.parametrize("example", _examples("hostile"))
def test_hostile_message_is_refused(example: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refusal:
        DECODE[example["direction"]](example["text"])
    assert refusal.value.code in REFUSED


def test_every_type_stands_among_the_examples_in_its_direction() -> None:
    shown = {(item["direction"], item["message"]["type"]) for item in EXAMPLES["valid"]}
    owner = {"seed", "unseed", "full", "joined", "refused", "over", "answer", "candidate"}
    to_owner = {"seeding", "offer", "candidate", "left", "draining", "error"}
    states = {"offline", "unknown", "online", "revoked", "expired", "stopped", "refused", "full", "draining"}
    assert shown == {
        *(("owner-to-server", kind) for kind in owner),
        *(("viewer-to-server", kind) for kind in ("view", "candidate")),
        *(("server-to-owner", kind) for kind in to_owner),
        *(("server-to-viewer", kind) for kind in states | {"answer", "candidate", "error"}),
    }


def test_a_refusal_never_repeats_what_was_sent() -> None:
    for example in EXAMPLES["hostile"]:
        with pytest.raises(ProtocolError) as refusal:
            DECODE[example["direction"]](example["text"])
        told = protocol.encode(protocol.Error(refusal.value.code, refusal.value.detail))
        assert isinstance(protocol.decode_to_viewer(told), protocol.Error)
        assert len(refusal.value.detail) < 80


@pytest.mark.parametrize("length", [protocol.MAX_MESSAGE, protocol.MAX_MESSAGE + 1])
def test_the_size_is_judged_before_anything_is_parsed(length: int) -> None:
    text = '{"type":"candidate","candidate":null}'.ljust(length)
    if length <= protocol.MAX_MESSAGE:
        assert protocol.decode_from_client(text) == protocol.ViewerCandidate(None)
    else:
        with pytest.raises(ProtocolError, match="too long"):
            protocol.decode_from_client(text)


def test_keys_and_addresses_stay_out_of_representations() -> None:
    token = protocol.encode_base64url(bytes(16))
    messages = [protocol.Seed(token), protocol.View("A" * 14, token), protocol.ViewerCandidate(token)]
    assert not any(token in repr(message) for message in messages)


def test_an_id_is_the_start_of_the_tokens_hash() -> None:
    # echo -n | SHA-256 of 16 zero bytes: 374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb
    assert protocol.decode_base64url(protocol.id_of_token("A" * 22), 10).hex() == "374708fff7719dd5979e"


@settings(deadline=None)  # a busy machine is not a failure
@given(st.text(max_size=400) | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_whatever_comes_is_a_message_or_a_refusal(text: str) -> None:
    for decode in (protocol.decode_from_client, protocol.decode_to_owner, protocol.decode_to_viewer):
        outcome: object
        try:
            outcome = protocol.encode(decode(text))
        except ProtocolError as error:
            outcome = error.code
        assert isinstance(outcome, str) or outcome in REFUSED
