"""What the transport takes from inside aioice: a release that moves any of it fails here, by name.

The range in pyproject.toml is what this was written against. When a test
fails, read what the new release does in that place before changing anything.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aioice import Candidate, Connection, ice, mdns, stun
from aioice.candidate import candidate_foundation, candidate_priority

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"
HOST = "1 1 udp 2130706431 192.0.2.1 50000 typ host"

CALLED: list[tuple[Any, str, list[str]]] = [
    (Candidate, "can_pair_with", ["other"]),
    (Candidate, "to_sdp", []),
    (Connection, "add_remote_candidate", ["remote_candidate"]),
    (Connection, "build_request", ["pair", "nominate"]),
    (Connection, "check_complete", ["pair"]),
    (Connection, "check_incoming", ["message", "addr", "protocol"]),
    (Connection, "close", []),
    (Connection, "connect", []),
    (Connection, "data_received", ["data", "component"]),
    (Connection, "query_consent", []),
    (Connection, "request_received", ["message", "addr", "protocol"]),
    (Connection, "sort_check_list", []),
    (Connection, "switch_role", ["ice_controlling"]),
    (Connection, "_add_remote_candidate", ["remote_candidate", "network_host"]),
    (Connection, "_check_list_maybe_complete", []),
    (Connection, "_check_list_maybe_fail", []),
    (Connection, "_check_periodic", []),
    (Connection, "_pair_remote_candidate", ["remote_candidate"]),
    (Connection, "_unfreeze_initial", []),
    (Connection, "_valid_username", ["username"]),
    (stun.Message, "add_message_integrity", ["key"]),
    (stun.Message, "check_message_integrity", ["key"]),
    (stun.Transaction, "response_received", ["message", "addr"]),
    (stun.Transaction, "run", []),
    (ice.StunProtocol, "close", []),
    (ice.StunProtocol, "datagram_received", ["data", "addr"]),
    (ice.StunProtocol, "request", ["request", "addr", "integrity_key", "retransmissions"]),
    (ice.StunProtocol, "send_data", ["data", "addr"]),
    (ice.StunProtocol, "send_stun", ["message", "addr"]),
    (mdns.MDnsProtocol, "resolve", ["hostname", "timeout"]),
]
FUNCTIONS: list[tuple[Callable[..., Any], list[str]]] = [
    (candidate_foundation, ["candidate_type", "candidate_transport", "base_address"]),
    (candidate_priority, ["candidate_component", "candidate_type", "local_pref"]),
    (ice.get_host_addresses, ["use_ipv4", "use_ipv6"]),
    (ice.get_or_create_mdns_protocol, ["subscriber"]),
    (
        ice.relayed_candidate,
        [
            *("component", "hide_related_address", "protocol_factory"),
            *("turn_server", "turn_username", "turn_password", "turn_ssl", "turn_transport"),
        ],
    ),
    (ice.unref_mdns_protocol, ["subscriber"]),
    (mdns.is_mdns_hostname, ["name"]),
    (Connection, ["ice_controlling"]),
    (ice.CandidatePair, ["protocol", "remote_candidate"]),
    (ice.StunProtocol, ["receiver"]),
    (stun.Message, ["message_method", "message_class", "transaction_id"]),
    (stun.Transaction, ["request", "addr", "protocol", "retransmissions", "integrity_key"]),
]
READ_FROM_CONNECTION = [
    "_check_list",
    "_check_list_done",
    "_check_list_state",
    "_closing",
    "_early_checks",
    "_early_checks_done",
    "_local_candidates",
    "_local_candidates_end",
    "_local_candidates_start",
    "_local_password",
    "_nominated",
    "_protocols",
    "_query_consent_task",
    "_queue",
    "_remote_candidates",
    "_remote_candidates_end",
    "ice_controlling",
    "local_candidates",
    "local_password",
    "local_username",
    "remote_candidates",
    "remote_password",
    "remote_username",
]
READ_FROM_PAIR = ["nominated", "local_candidate", "protocol", "remote_addr", "remote_candidate", "state", "task"]


@pytest.mark.parametrize(("owner", "name", "arguments"), CALLED, ids=[f"{o.__name__}.{n}" for o, n, _ in CALLED])
def test_what_we_call_or_override_is_there_with_its_arguments(owner: Any, name: str, arguments: list[str]) -> None:
    assert [*inspect.signature(getattr(owner, name)).parameters][1:] == arguments


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=[function.__name__ for function, _ in FUNCTIONS])
def test_what_we_call_by_itself_takes_what_we_give(function: Callable[..., Any], arguments: list[str]) -> None:
    assert set(arguments) <= set(inspect.signature(function).parameters)


def test_what_we_read_of_an_agent_is_there() -> None:
    agent = Connection(ice_controlling=False)
    assert [name for name in READ_FROM_CONNECTION if not hasattr(agent, name)] == []
    assert (agent._check_list, agent._protocols, agent._remote_candidates, agent._nominated) == ([], [], [], {})
    assert isinstance(agent._queue, asyncio.Queue)
    assert isinstance(agent._check_list_state, asyncio.Queue)


async def test_what_we_read_of_a_pair_and_a_socket_is_there() -> None:
    protocol = ice.StunProtocol(Connection(ice_controlling=False))
    assert protocol.transactions == {}
    protocol.local_candidate = Candidate.from_sdp(HOST)
    remote = Candidate.from_sdp(HOST.replace("192.0.2.1", "203.0.113.9"))
    remote._network_host = "203.0.113.9"
    pair = ice.CandidatePair(protocol, remote)
    assert [name for name in READ_FROM_PAIR if not hasattr(pair, name)] == []
    assert pair.remote_addr == ("203.0.113.9", 50000), "where a candidate is, and not what it calls itself"
    assert {"FROZEN", "WAITING", "IN_PROGRESS", "SUCCEEDED", "FAILED"} == set(ice.CandidatePair.State.__members__)


async def test_a_candidate_that_is_added_knows_where_it_is() -> None:
    agent = Connection(ice_controlling=False)
    await agent.add_remote_candidate(Candidate.from_sdp(HOST))
    assert [(c._network_host, c.port) for c in agent._remote_candidates] == [("192.0.2.1", 50000)]
    await agent.close()
    assert agent._closing


async def test_a_check_that_comes_early_is_kept_as_we_hand_it_on() -> None:
    agent = Connection(ice_controlling=False)
    protocol: Any = ice.StunProtocol(agent)
    protocol.send_stun = lambda message, addr: None
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes["USERNAME"] = f"{agent.local_username}:user"
    check.add_message_integrity(agent.local_password.encode())
    agent.request_received(check, ("203.0.113.9", 50000), protocol)
    assert [*agent._early_checks] == [(check, ("203.0.113.9", 50000), protocol)]
    await agent.close()


async def test_a_question_that_is_open_is_found_by_its_number() -> None:
    sent: list[stun.Message] = []
    protocol: Any = ice.StunProtocol(Connection(ice_controlling=False))
    protocol.send_stun = lambda message, addr: sent.append(message)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    asking = asyncio.create_task(protocol.request(request, ("203.0.113.9", 3478)))
    await asyncio.sleep(0)
    (open_one,) = protocol.transactions.values()
    assert [*protocol.transactions] == [request.transaction_id]
    assert isinstance(open_one, stun.Transaction)
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    open_one.response_received(response, ("203.0.113.9", 3478))
    assert await asking == (response, ("203.0.113.9", 3478))
    assert protocol.transactions == {}
    assert sent == [request]


def test_failed_questions_and_the_end_of_the_checks_are_told_as_we_expect_them() -> None:
    assert issubclass(stun.TransactionFailed, stun.TransactionError)
    assert issubclass(stun.TransactionTimeout, stun.TransactionError)
    assert ice.ICE_COMPLETED != ice.ICE_FAILED


def test_names_are_resolved_with_a_lock_of_the_thread() -> None:
    """Each test has a loop of its own, and forgets what aioice keeps for the thread."""
    assert isinstance(vars(ice._mdns), dict)
    source = inspect.getsource(ice.get_or_create_mdns_protocol)
    assert all(f"_mdns.{name} =" in source for name in ("lock", "protocol", "subscribers"))


@pytest.mark.parametrize("library", ["aioice", "aiortc"])
def test_the_installed_release_is_in_the_range_that_this_was_written_against(library: str) -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
    ranges = [found for text in dependencies if (found := re.fullmatch(rf"{library}>=([0-9.]+),<([0-9.]+)", text))]
    assert len(ranges) == 1, (
        f"pyproject.toml names the first release of {library} that is taken, and the first that is not"
    )
    least, beyond = map(_numbers, ranges[0].groups())
    assert least <= _numbers(version(library)) < beyond
    assert beyond == (least[0], least[1] + 1), "one minor release: its insides are what we use"


def _numbers(release: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(\.[0-9]+)*", release)
    assert found is not None
    return tuple(map(int, found[0].split(".")))
