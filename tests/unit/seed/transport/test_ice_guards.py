"""The ICE agent's guards, with sockets that only keep what is sent: from whom it takes datagrams, whom it learns."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aioice import Candidate, stun

from seedshot_desktop.seed.transport.ice import MAX_PAIRS, MAX_REMOTE_CANDIDATES, GuardedConnection
from tests.support.waiting import until
from tests.unit.seed.transport.test_ice import Silence

PASSWORD = "signed" * 6
VIEWER = ("203.0.113.9", 40000)
ELSEWHERE = ("203.0.113.66", 40000)
RECORD = bytes([23]) * 60


@contextlib.asynccontextmanager
async def connecting() -> AsyncIterator[tuple[GuardedConnection, Any]]:
    """An agent that looks for its viewer, and its one socket."""
    sock: Any = Silence()
    agent = GuardedConnection()
    agent._protocols.append(sock)
    agent.remote_username, agent.remote_password = "user", "word" * 8
    agent.protect(PASSWORD)
    looking = asyncio.create_task(agent.connect())
    await until(lambda: agent._early_checks_done, "the beginning of the checks")
    try:
        yield agent, sock
    finally:
        await agent.close()
        await asyncio.gather(looking, return_exceptions=True)


def signed_check(agent: GuardedConnection, password: str = PASSWORD) -> stun.Message:
    """As it comes from who knows the password."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{agent.local_username}:user"
    message.attributes["PRIORITY"] = 1
    message.add_message_integrity(password.encode())
    return message


async def test_a_record_counts_only_from_an_address_that_has_signed_a_check() -> None:
    async with connecting() as (agent, sock):
        agent.request_received(signed_check(agent), VIEWER, sock)
        assert agent.is_proven
        agent.dtls_received(RECORD, ELSEWHERE)
        agent.dtls_received(RECORD, (VIEWER[0], VIEWER[1] + 1))
        assert agent._queue.empty()
        assert agent.refused == 2
        taken: list[bytes] = []
        agent.sink = taken.append
        agent.dtls_received(RECORD, ELSEWHERE)
        assert taken == []
        agent.dtls_received(RECORD, VIEWER)
        assert taken == [RECORD]


async def test_a_check_that_is_not_signed_proves_nothing_and_is_told() -> None:
    async with connecting() as (agent, sock):
        strangers: list[bool] = []
        agent.on_stranger = lambda: strangers.append(True)
        agent.request_received(signed_check(agent, "guessed" * 5), VIEWER, sock)
        agent.dtls_received(RECORD, VIEWER)
        assert strangers == [True]
        assert not agent.is_proven
        assert agent._queue.empty()
        assert agent.remote_candidates == []


async def test_who_checks_from_many_ports_is_learnt_from_a_few() -> None:
    async with connecting() as (agent, sock):
        for port in range(1000, 1200):
            agent.request_received(signed_check(agent), ("203.0.113.9", port), sock)
        assert len(agent.remote_candidates) == MAX_REMOTE_CANDIDATES
        assert len(agent._check_list) == MAX_REMOTE_CANDIDATES
        assert agent.refused == 200 - MAX_REMOTE_CANDIDATES
        before = agent.refused
        agent.request_received(signed_check(agent), ("203.0.113.9", 1000), sock)
        assert agent.refused == before, "who is known already still is"


async def test_checks_to_many_sockets_make_hardly_more_pairs_than_may_be() -> None:
    """One port of the viewer after the other, each to every socket of ours; who is learnt gets a pair with each."""
    async with connecting() as (agent, first):
        socks: list[Any] = [first, *(Silence() for _ in range(11))]
        for index, sock in enumerate(socks):
            sock.local_candidate = Candidate.from_sdp(f"1 1 udp 2130706431 192.0.2.{index + 1} 50000 typ host")
        agent._protocols[:] = socks
        for port in range(1000, 1200):
            for sock in socks:
                agent.request_received(signed_check(agent), ("203.0.113.9", port), sock)
        assert len(agent.remote_candidates) <= MAX_REMOTE_CANDIDATES
        assert MAX_PAIRS <= len(agent._check_list) < MAX_PAIRS + len(socks)


async def test_candidates_that_are_signalled_make_hardly_more_pairs_than_may_be() -> None:
    async with connecting() as (agent, first):
        socks: list[Any] = [first, *(Silence() for _ in range(11))]
        agent._protocols[:] = socks
        for port in range(1000, 1200):
            await agent.add_remote_candidate(Candidate.from_sdp(f"1 1 udp 1 203.0.113.9 {port} typ host"))
        assert len(agent.remote_candidates) <= MAX_REMOTE_CANDIDATES
        assert MAX_PAIRS <= len(agent._check_list) < MAX_PAIRS + len(socks)
