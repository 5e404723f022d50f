"""What the transport takes from inside aiortc: a release that moves any of it fails here, by name.

The range in pyproject.toml is what this was written against. When a test
fails, read what the new release does in that place before changing anything.
What it takes from aioice stands in ``test_aioice_canary``.
"""

from __future__ import annotations

import inspect

import pytest
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceTransport,
    RTCSctpCapabilities,
    RTCSctpTransport,
)
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, State
from aiortc.rtcicetransport import parse_stun_turn_uri
from aiortc.rtcsctptransport import CHUNK_TYPES
from OpenSSL import SSL

CALLED = [
    (RTCCertificate, "_create_ssl_context", ["srtp_profiles"]),
    (RTCDtlsTransport, "start", ["remoteParameters"]),
    (RTCDtlsTransport, "stop", []),
    (RTCDtlsTransport, "_set_role", ["role"]),
    (RTCDtlsTransport, "_set_state", ["state"]),
    (RTCDtlsTransport, "_setup_srtp", []),
    (RTCDtlsTransport, "_register_data_receiver", ["receiver"]),
    (RTCIceTransport, "start", ["remoteParameters"]),
    (RTCIceTransport, "stop", []),
    (RTCSctpTransport, "start", ["remoteCaps", "remotePort"]),
    (RTCSctpTransport, "_abort", []),
    (RTCSctpTransport, "_handle_data", ["data"]),
    (RTCSctpTransport, "_receive_chunk", ["chunk"]),
    (RTCSctpTransport, "_send_chunk", ["chunk"]),
    (RTCSctpTransport, "_send_sack", []),
    (RTCSctpTransport, "_set_state", ["state"]),
    (RTCSctpTransport, "_t1_expired", []),
    (SSL.Connection, "bio_read", ["bufsiz"]),
    (SSL.Connection, "bio_write", ["buf"]),
]
MADE = [
    (RTCCertificate, ["key", "cert"]),
    (RTCDtlsFingerprint, ["algorithm", "value"]),
    (RTCDtlsParameters, ["fingerprints", "role"]),
    (RTCDtlsTransport, ["transport", "certificates"]),
    (RTCIceTransport, ["gatherer"]),
    (RTCSctpCapabilities, ["maxMessageSize"]),
    (RTCSctpTransport, ["transport", "port"]),
]
READ_FROM_DTLS = ["_role", "_ssl", "_state", "state"]
READ_FROM_ASSOCIATION = [
    "_advertised_rwnd",
    "_association_state",
    "_inbound_streams_max",
    "_local_partial_reliability",
    "_local_port",
    "_local_tsn",
    "_local_verification_tag",
    "_outbound_streams_count",
    "_remote_port",
    "_remote_verification_tag",
    "_rto",
    "_sack_needed",
]


@pytest.mark.parametrize(("owner", "name", "arguments"), CALLED, ids=[f"{o.__name__}.{n}" for o, n, _ in CALLED])
def test_what_we_call_or_override_is_there_with_its_arguments(owner: type, name: str, arguments: list[str]) -> None:
    assert [*inspect.signature(getattr(owner, name)).parameters][1:] == arguments


@pytest.mark.parametrize(("made", "arguments"), MADE, ids=[made.__name__ for made, _ in MADE])
def test_what_we_make_is_made_of_what_we_give(made: type, arguments: list[str]) -> None:
    assert set(arguments) <= set(inspect.signature(made).parameters)


async def test_what_we_read_is_there() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    assert hasattr(gatherer, "_connection")
    transport = RTCIceTransport(gatherer)
    assert transport._connection is gatherer._connection
    assert transport.state == "new"
    dtls = RTCDtlsTransport(transport, [RTCCertificate.generateCertificate()])
    assert [name for name in READ_FROM_DTLS if not hasattr(dtls, name)] == []
    assert (dtls._state, dtls.state, dtls._ssl) == (State.NEW, "new", None)
    association = RTCSctpTransport(dtls)
    assert [name for name in READ_FROM_ASSOCIATION if not hasattr(association, name)] == []
    assert association._association_state is RTCSctpTransport.State.CLOSED


def test_the_states_that_we_ask_for_are_there() -> None:
    assert [state.value for state in (State.CONNECTED, State.CLOSED)] == [2, 3]
    for name in ("CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED"):
        assert hasattr(RTCSctpTransport.State, name)


def test_servers_are_read_as_we_ask_for_them() -> None:
    assert parse_stun_turn_uri("turns:relay.example:5349?transport=tcp") == {
        **{"host": "relay.example", "port": 5349, "scheme": "turns", "transport": "tcp"},
    }


def test_a_timer_that_the_association_has_set_ends_with_its_state() -> None:
    """What silences an association relies on it."""
    source = inspect.getsource(RTCSctpTransport._set_state)
    assert all(f"self._t{number}_cancel()" in source for number in (1, 2, 3))


def test_the_chunks_that_aiortc_handles_for_us() -> None:
    names = {kind: CHUNK_TYPES[kind].__name__ for kind in (1, 2, 4, 5, 6, 10, 11, 130)}
    assert names == {
        1: "InitChunk",
        2: "InitAckChunk",
        4: "HeartbeatChunk",
        5: "HeartbeatAckChunk",
        6: "AbortChunk",
        10: "CookieEchoChunk",
        11: "CookieAckChunk",
        130: "ReconfigChunk",
    }


def test_no_sctp_handler_waits_for_anything_but_its_own_sending() -> None:
    """The association drives them to their end at once; a real wait inside would break that."""
    for name in ("_receive_chunk", "_abort", "_init", "start"):
        source = inspect.getsource(getattr(RTCSctpTransport, name))
        waits = [line.strip() for line in source.splitlines() if "await " in line]
        assert all("await self._" in line for line in waits), waits
        assert "asyncio.sleep" not in source
