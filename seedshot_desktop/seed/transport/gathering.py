"""STUN and TURN servers: asked in the background for further candidates of ours, and never waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aioice import Candidate, ice, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc.rtcicetransport import parse_stun_turn_uri

from seedshot_desktop.seed.transport.candidates import may_reach
from seedshot_desktop.seed.transport.servers import stun_server

SERVER_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class IceOptions:
    """Servers that help to find a path; none is needed in one network."""

    stun_urls: tuple[str, ...] = ()
    """``stun:host[:port]``; asked for the public address, never waited for."""
    turn_urls: tuple[str, ...] = ()
    """``turn:`` or ``turns:``, with ``turn_username`` and ``turn_password``."""
    turn_username: str = ""
    turn_password: str = ""


class Agent(Protocol):
    """What is needed of the ICE agent that asks."""

    def host_protocols(self, *, is_v6: bool) -> Sequence[ice.StunProtocol]:
        """The sockets on this machine's own addresses of that family."""

    def make_protocol(self) -> ice.StunProtocol:
        """What receives behind a relay."""

    def add_reflexive(self, candidate: Candidate) -> bool:
        """Keep a public address of ours; False where it is known."""

    async def add_relay(self, candidate: Candidate, protocol: ice.StunProtocol) -> bool:
        """Keep a relay, or close it where nobody needs it any more: False."""


class Servers:
    """The questions of one agent; `found` is called for each new candidate."""

    def __init__(self, agent: Agent, found: Callable[[Candidate], None]) -> None:
        self._agent = agent
        self._found = found

    async def ask(self, options: IceOptions) -> None:
        """Every server at once."""
        queries = [self._ask_stun(url) for url in options.stun_urls]
        queries += [self._ask_turn(url, options) for url in options.turn_urls]
        await asyncio.gather(*(_in_time(query) for query in queries))

    async def _ask_stun(self, url: str) -> None:
        host, port = stun_server(url)
        families = (socket.AF_INET, socket.AF_INET6)
        await asyncio.gather(*(_in_time(self._ask_stun_over(family, host, port)) for family in families))

    async def _ask_stun_over(self, family: socket.AddressFamily, host: str, port: int) -> None:
        """From every address of ours in that family. Others name the server, so only where viewers may be is asked."""
        hosts = self._agent.host_protocols(is_v6=family == socket.AF_INET6)
        if not hosts:
            return
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
        server = infos[0][4]
        if may_reach(str(server[0])):
            await asyncio.gather(*(_in_time(self._ask_stun_from(protocol, server)) for protocol in hosts))

    async def _ask_stun_from(self, protocol: ice.StunProtocol, server: tuple[Any, ...]) -> None:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        response, _ = await protocol.request(request, (server[0], server[1]))
        host, port = response.attributes["XOR-MAPPED-ADDRESS"]
        base = protocol.local_candidate
        candidate = Candidate(
            foundation=candidate_foundation("srflx", "udp", base.host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "srflx"),
            host=host,
            port=port,
            type="srflx",
            related_address=base.host,
            related_port=base.port,
        )
        if self._agent.add_reflexive(candidate):
            self._found(candidate)

    async def _ask_turn(self, url: str, options: IceOptions) -> None:
        server = parse_stun_turn_uri(url)
        candidate, protocol = await ice.relayed_candidate(
            component=1,
            hide_related_address=False,
            protocol_factory=self._agent.make_protocol,
            turn_server=(server["host"], server["port"]),
            turn_username=options.turn_username,
            turn_password=options.turn_password,
            turn_ssl=server["scheme"] == "turns",
            turn_transport=server["transport"],
        )
        if await self._agent.add_relay(candidate, protocol):
            self._found(candidate)


async def _in_time(query: Coroutine[Any, Any, None]) -> None:
    """Run one question to a server; one that fails or is late costs nothing."""
    try:
        async with asyncio.timeout(SERVER_TIMEOUT_S):
            await query
    except (TimeoutError, OSError, ValueError, KeyError, stun.TransactionError):
        pass  # a server that cannot be used leaves the other candidates as they are
