"""The ICE agent, with a socket that only keeps what is sent: checks that a router may have dropped."""

from __future__ import annotations

import asyncio
from typing import Any

from aioice import Candidate, ice, stun

from seedshot_desktop.seed.transport.ice import GuardedConnection

VIEWER = ("203.0.113.9", 40000)
CANDIDATE = "1 1 udp 1677729535 203.0.113.9 40000 typ srflx raddr 0.0.0.0 rport 0"
OWN = "1 1 udp 2130706431 192.0.2.1 50000 typ host"


class Silence:
    """A socket of ours whose every question stays without an answer."""

    def __init__(self) -> None:
        self.local_candidate = Candidate.from_sdp(OWN)
        self.asked: list[stun.Message] = []
        self.said: list[tuple[stun.Message, tuple[str, int]]] = []

    async def request(self, request: stun.Message, addr: tuple[str, int], **_: Any) -> Any:
        self.asked.append(request)
        await asyncio.Event().wait()

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        self.said.append((message, addr))

    async def close(self) -> None:
        """It has no socket."""


def check() -> stun.Message:
    """As a viewer sends it."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["PRIORITY"] = 1
    return message


async def test_a_check_that_the_viewers_router_may_have_dropped_is_sent_again_with_the_viewers_first() -> None:
    sock: Any = Silence()
    agent = GuardedConnection()
    agent._protocols.append(sock)
    agent.remote_username, agent.remote_password = "user", "word" * 8
    await agent.add_remote_candidate(Candidate.from_sdp(CANDIDATE))
    try:
        assert agent._check_periodic()
        await asyncio.sleep(0)
        (asked,) = sock.asked
        for _ in range(3):
            agent.check_incoming(check(), VIEWER, sock)
        assert sock.said == [(asked, VIEWER)], "as it was, and once"
        (pair,) = agent._check_list
        assert pair.state is ice.CandidatePair.State.IN_PROGRESS
    finally:
        await agent.close()
