"""What the transport takes from inside aiortc and aioice: a release that moves any of it fails here, by name.

The range in pyproject.toml is what this was written against. When a test
fails, read what the new release does in that place before changing anything.
"""

from __future__ import annotations

import inspect

import pytest
from aioice import Connection, ice, stun
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from aiortc.rtcsctptransport import CHUNK_TYPES
from OpenSSL import SSL

CALLED = [
    (Connection, "add_remote_candidate", ["remote_candidate"]),
    (Connection, "build_request", ["pair", "nominate"]),
    (Connection, "check_incoming", ["message", "addr", "protocol"]),
    (Connection, "check_complete", ["pair"]),
    (Connection, "close", []),
    (Connection, "connect", []),
    (Connection, "data_received", ["data", "component"]),
    (Connection, "query_consent", []),
    (Connection, "request_received", ["message", "addr", "protocol"]),
    (Connection, "sort_check_list", []),
    (Connection, "_add_remote_candidate", ["remote_candidate", "network_host"]),
    (Connection, "_check_periodic", []),
    (Connection, "_pair_remote_candidate", ["remote_candidate"]),
    (Connection, "_unfreeze_initial", []),
    (Connection, "_valid_username", ["username"]),
    (stun.Message, "check_message_integrity", ["key"]),
    (ice.StunProtocol, "datagram_received", ["data", "addr"]),
    (ice.StunProtocol, "request", ["request", "addr", "integrity_key", "retransmissions"]),
    (ice.StunProtocol, "send_data", ["data", "addr"]),
    (ice.StunProtocol, "send_stun", ["message", "addr"]),
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
READ_FROM_CONNECTION = [
    "_check_list",
    "_check_list_state",
    "_closing",
    "_early_checks",
    "_early_checks_done",
    "_local_candidates",
    "_local_password",
    "_nominated",
    "_protocols",
    "_query_consent_task",
    "_queue",
    "_remote_candidates",
]
READ_FROM_ASSOCIATION = [
    "_advertised_rwnd",
    "_association_state",
    "_inbound_streams_max",
    "_local_partial_reliability",
    "_local_port",
    "_local_tsn",
    "_local_verification_tag",
    "_outbound_streams_count",
    "_remote_verification_tag",
    "_rto",
    "_sack_needed",
]


@pytest.mark.parametrize(("owner", "name", "arguments"), CALLED, ids=[f"{o.__name__}.{n}" for o, n, _ in CALLED])
def test_what_we_call_or_override_is_there_with_its_arguments(owner: type, name: str, arguments: list[str]) -> None:
    assert [*inspect.signature(getattr(owner, name)).parameters][1:] == arguments


def test_what_we_read_of_an_agent_is_there() -> None:
    agent = Connection(ice_controlling=False)
    assert [name for name in READ_FROM_CONNECTION if not hasattr(agent, name)] == []


async def test_what_we_read_of_an_association_is_there() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    assert hasattr(gatherer, "_connection")
    transport = RTCIceTransport(gatherer)
    assert transport._connection is gatherer._connection
    from aiortc import RTCCertificate

    association = RTCSctpTransport(RTCDtlsTransport(transport, [RTCCertificate.generateCertificate()]))
    assert [name for name in READ_FROM_ASSOCIATION if not hasattr(association, name)] == []
    assert association._association_state is RTCSctpTransport.State.CLOSED


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
