"""Whether the viewer is still there, and on which of its paths: real sockets, and a viewer that answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aioice import ice, stun

from seedshot_desktop.seed.transport import PeerState, consent
from seedshot_desktop.seed.transport import ice as agents
from seedshot_desktop.seed.transport.ice import GuardedConnection
from tests.support.rtc_viewer import connected
from tests.support.waiting import until, within

USER, PASSWORD = "view", "v" * 24
LATE_S = 0.7
"""Later than aioice waits for an answer to a check of consent, and so satellites answer."""


class Place(asyncio.DatagramProtocol):
    """One address of a viewer: signs what it says with both ends' passwords, and answers late where it is told to."""

    def __init__(self, agent: GuardedConnection) -> None:
        self._agent = agent
        self.delay_s = 0.0
        self.error = 0
        """What checks are answered with, 0: that they have arrived."""
        self.checks = 0
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = stun.parse_message(data)
        if message.message_class is not stun.Class.REQUEST:
            self.answers += 1
            return
        self.checks += 1
        kind = stun.Class.ERROR if self.error else stun.Class.RESPONSE
        answer = stun.Message(stun.Method.BINDING, kind, transaction_id=message.transaction_id)
        if self.error:
            answer.attributes["ERROR-CODE"] = (self.error, "as told")
        else:
            answer.attributes["XOR-MAPPED-ADDRESS"] = addr
        answer.add_message_integrity(PASSWORD.encode())
        asyncio.get_running_loop().call_later(self.delay_s, self._say, bytes(answer), addr)

    def _say(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, addr)

    def check(self, priority: int, *, role: str = "ICE-CONTROLLING") -> None:
        """Check the way to the owner, and nominate it."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._agent.local_username}:{USER}"
        request.attributes["PRIORITY"] = priority
        request.attributes[role] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._agent.local_password.encode())
        owner = self._agent.local_candidates[0]
        self._say(bytes(request), (owner.host, owner.port))


@asynccontextmanager
async def agent_and_places(monkeypatch: pytest.MonkeyPatch, count: int) -> AsyncIterator[tuple[Any, list[Place]]]:
    """An agent that looks for a path, and `count` addresses of its viewer."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    agent = GuardedConnection()
    await agent.gather_hosts()
    agent.remote_username, agent.remote_password = USER, PASSWORD
    loop = asyncio.get_running_loop()
    places = []
    for _ in range(count):
        _, place = await loop.create_datagram_endpoint(lambda: Place(agent), local_addr=("127.0.0.1", 0))
        places.append(place)
    connecting = asyncio.create_task(agent.connect())
    await until(lambda: agent._early_checks_done, "the agent to look for a path")
    try:
        yield agent, places
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        agent.silence()
        await agent.close()
        for place in places:
            place.transport.close()


def port_in_use(agent: GuardedConnection) -> int:
    """Where datagrams go, 0 while that is not known."""
    return agent.path._addr[1] if agent.path is not None else 0


async def test_a_viewer_that_vanishes_is_told_from_one_that_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "CHECK_S", 0.02)
    monkeypatch.setattr(consent, "EXPIRES_S", 1.0)
    async with connected() as (peer, owner, viewer):
        their_agent: Any = viewer.connection.sctp.transport.transport._connection  # type: ignore[union-attr]
        answered = 0
        answer = their_agent.request_received

        def count(*arguments: Any) -> None:
            nonlocal answered
            answered += 1
            answer(*arguments)

        their_agent.request_received = count
        await until(lambda: answered > 100, "a hundred checks, which is longer than consent lasts")
        assert peer.state is PeerState.OPEN
        their_agent.request_received = lambda *_: None
        assert await owner.reached(PeerState.CLOSED, 10) == "the viewer can no longer be reached"


async def test_answers_that_come_late_are_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "CHECK_S", 0.05)
    monkeypatch.setattr(consent, "EXPIRES_S", 2 * LATE_S)
    async with agent_and_places(monkeypatch, 1) as (agent, [place]):
        lost = asyncio.Event()
        agent.on_lost = lost.set
        place.check(1)
        await until(lambda: agent.path is not None, "the path")
        place.delay_s = LATE_S
        at_first = place.checks
        await until(lambda: place.checks >= at_first + 60, "checks for longer than consent lasts without an answer")
        assert not lost.is_set()
        assert len(agent._protocols[0].transactions) < 40, "checks that nobody answered are forgotten"
        place.transport.close()
        await within(lost.wait(), "the end")


async def test_the_better_of_two_nominated_paths_is_used_whichever_is_answered_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with agent_and_places(monkeypatch, 2) as (agent, [wired, tunnel]):
        tunnel.delay_s = 0.2
        wired.check(2000)
        tunnel.check(1000)
        await until(lambda: port_in_use(agent) == wired.port, "the better path")
        passed = ice.CandidatePair.State.SUCCEEDED
        await until(lambda: [pair.state for pair in agent._check_list] == [passed] * 2, "both to have been checked")
        assert port_in_use(agent) == wired.port
        assert agent.relayed is False


async def test_a_better_path_is_taken_as_soon_as_it_is_nominated(monkeypatch: pytest.MonkeyPatch) -> None:
    async with agent_and_places(monkeypatch, 2) as (agent, [wired, tunnel]):
        tunnel.check(1000)
        await until(lambda: port_in_use(agent) == tunnel.port, "the first path")
        wired.check(2000)
        await until(lambda: port_in_use(agent) == wired.port, "the better path")


async def test_a_path_that_the_viewer_has_left_gives_way_to_a_worse_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with agent_and_places(monkeypatch, 2) as (agent, [wired, tunnel]):
        wired.check(2000)
        await until(lambda: port_in_use(agent) == wired.port, "the better path")
        tunnel.check(1000)
        passed = ice.CandidatePair.State.SUCCEEDED
        await until(lambda: [pair.state for pair in agent._check_list] == [passed] * 2, "both to have been checked")
        assert port_in_use(agent) == wired.port
        monkeypatch.setattr(agents, "STALE_S", 0.0)
        tunnel.check(1000)
        await until(lambda: port_in_use(agent) == tunnel.port, "the path that is left")


async def test_who_answers_that_the_roles_are_wrong_is_not_asked_without_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with agent_and_places(monkeypatch, 1) as (agent, [place]):
        place.error = 487
        place.check(1)
        failed = ice.CandidatePair.State.FAILED
        await until(lambda: [pair.state for pair in agent._check_list] == [failed], "the check to have failed")
        assert place.checks == 1
        assert not agent.ice_controlling


async def test_a_viewer_that_wants_to_be_controlled_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with agent_and_places(monkeypatch, 1) as (agent, [place]):
        place.check(1, role="ICE-CONTROLLED")
        await until(lambda: agent.refused == 1, "the check to be refused")
        place.check(1)
        await until(lambda: place.answers == 1, "an answer to the other")
        assert not agent.ice_controlling
