"""ICE for one viewer: aioice's agent behind guards, and candidates that are never waited for.

aioice gathers everything before it answers, takes non-STUN datagrams from
anybody, and learns peers without bound. Here the host sockets are there at
once, STUN and TURN servers are asked in the background, a datagram counts only
when it comes from an address that has shown the ICE credentials, and what a
peer can make us remember is bounded.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aioice import Candidate, Connection, ice, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCIceGatherer
from aiortc.rtcicetransport import parse_stun_turn_uri

from seedshot_desktop.seed.transport.candidates import may_reach
from seedshot_desktop.seed.transport.datagrams import GuardedProtocol, Path, open_host
from seedshot_desktop.seed.transport.servers import stun_server

MAX_HOST_ADDRESSES = 12
"""Sockets of one peer; a machine with dozens of container bridges need not offer them all."""
MAX_REMOTE_CANDIDATES = 40
MAX_PAIRS = 100
"""RFC 8445, section 6.1.2.5."""
MAX_VALIDATED = 64
MAX_QUEUED_DATAGRAMS = 1024
SERVER_TIMEOUT_S = 5.0
CHECK_INTERVAL_S = 0.02
"""Ta, the pace of connectivity checks (RFC 8445, section 14.2)."""


@dataclass(frozen=True)
class IceOptions:
    """Servers that help to find a path; none is needed in one network."""

    stun_urls: tuple[str, ...] = ()
    """``stun:host[:port]``; asked for the public address, never waited for."""
    turn_urls: tuple[str, ...] = ()
    """``turn:`` or ``turns:``, with ``turn_username`` and ``turn_password``."""
    turn_username: str = ""
    turn_password: str = ""


class GuardedConnection(Connection):
    """aioice's agent, controlled, for one component, with bounds."""

    def __init__(self) -> None:
        super().__init__(ice_controlling=False)
        self.silenced = False
        """Nothing is sent or taken any more."""
        self.refused = 0
        """Datagrams and candidates that were not taken."""
        self.sink: Callable[[bytes], None] | None = None
        """Takes DTLS datagrams at once; until it is set, they wait in aioice's queue."""
        self._validated: set[tuple[str, int]] = set()
        self.path: Path | None = None
        """Where datagrams go: the nominated pair."""
        self.is_proven = False
        """The peer has signed a check with our password, which is never sent: it knows what it is made of."""
        self._asked: dict[ice.CandidatePair, stun.Message] = {}
        """The last check of a pair, where it may be said once more."""
        self.on_stranger: Callable[[], None] = lambda: None
        """Somebody knows both user names, and not our password."""

    def protect(self, password: str) -> None:
        """Our password, before anything is sent: checks that are not signed with it are refused."""
        self._local_password = password

    # Datagrams

    def dtls_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A datagram of DTLS: only from an address that has shown the credentials, and never without bound.

        To answer our checks it needs only what its own offer says: nothing is kept for who has not signed one.
        """
        if not self.is_proven or addr not in self._validated or self._queue.qsize() >= MAX_QUEUED_DATAGRAMS:
            self.refused += 1
        elif self.sink is not None and self._queue.empty():
            self.sink(data)
        else:
            self._queue.put_nowait((data, 1))

    def data_received(self, data: bytes, component: int) -> None:
        """What looked like STUN and is not."""
        self.refused += 1

    def request_received(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        if self._valid_username(message.attributes.get("USERNAME", "")):
            signed = message.check_message_integrity(self.local_password.encode())
            self.is_proven = self.is_proven or signed
            if not signed:
                self.on_stranger()
        super().request_received(message, addr, protocol)

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        if not self._may_learn(addr) or "PRIORITY" not in message.attributes:
            self.refused += 1
            return
        if len(self._validated) < MAX_VALIDATED:
            self._validated.add(addr)
        self._ask_again(addr, protocol)
        super().check_incoming(message, addr, protocol)

    def build_request(self, pair: ice.CandidatePair, nominate: bool) -> stun.Message:
        self._asked[pair] = request = super().build_request(pair, nominate)
        return request

    def _ask_again(self, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        """A check has come from `addr`, whose router may have dropped ours: now it lets it through.

        RFC 8445, section 7.3.1.4, asks for a new check. aioice waits for the old one, which is sent again only after
        half a second. It is sent again here, once and as it was, so that its first answer counts too.
        """
        for pair in self._check_list:
            if (pair.protocol, pair.remote_addr, pair.state) == (protocol, addr, ice.CandidatePair.State.IN_PROGRESS):
                request = self._asked.pop(pair, None)
                if request is not None:
                    protocol.send_stun(request, addr)

    def check_complete(self, pair: ice.CandidatePair) -> None:
        if pair.state == ice.CandidatePair.State.SUCCEEDED and len(self._validated) < MAX_VALIDATED:
            self._validated.add(pair.remote_addr)
        super().check_complete(pair)
        if not self.silenced and (nominated := self._nominated.get(1)) is not None:
            way = (nominated.protocol, nominated.remote_addr)
            self.path = self.path if self.path is not None and self.path.leads(*way) else Path(*way)

    def _may_learn(self, addr: tuple[str, int]) -> bool:
        if len(self._remote_candidates) < MAX_REMOTE_CANDIDATES and len(self._check_list) < MAX_PAIRS:
            return True
        return any((c._network_host, c.port) == addr for c in self._remote_candidates)

    def _add_remote_candidate(self, remote_candidate: Candidate, network_host: str) -> None:
        full = len(self._remote_candidates) >= MAX_REMOTE_CANDIDATES or len(self._check_list) >= MAX_PAIRS
        if full or not may_reach(network_host):
            self.refused += 1
            return
        super()._add_remote_candidate(remote_candidate, network_host)

    # Connecting

    async def connect(self) -> None:
        """Find a path; raises ConnectionError. Returns in the moment a pair is nominated.

        aioice looks every 20 ms, and cancels the checks that are still running,
        which leaves it deaf to a browser that moves to a better pair.
        """
        if self.remote_username is None or self.remote_password is None:
            raise ConnectionError("The remote credentials are missing")
        for candidate in self._remote_candidates:
            self._pair_remote_candidate(candidate)
        self.sort_check_list()
        self._unfreeze_initial()
        for early in self._early_checks:
            self.check_incoming(*early)
        self._early_checks.clear()
        self._early_checks_done = True
        pacing = asyncio.create_task(self._pace_checks(), name="ice checks")
        try:
            result = await self._check_list_state.get()
        finally:
            pacing.cancel()
        if result != ice.ICE_COMPLETED:
            raise ConnectionError("No path was found")
        self._query_consent_task = asyncio.create_task(self.query_consent(), name="ice consent")

    async def _pace_checks(self) -> None:
        while self._check_periodic():  # noqa: ASYNC110 - Ta is a clock, not a wait for an event
            await asyncio.sleep(CHECK_INTERVAL_S)

    # Gathering

    async def gather_hosts(self) -> list[Candidate]:
        """Open a socket on every address of this machine; no server is asked."""
        addresses = ice.get_host_addresses(use_ipv4=True, use_ipv6=True)[:MAX_HOST_ADDRESSES]
        for address in addresses or ["127.0.0.1"]:
            protocol = await open_host(self, address)
            if protocol is not None:
                self._protocols.append(protocol)
                self._local_candidates.append(protocol.local_candidate)
        self._local_candidates_start = self._local_candidates_end = True
        return self.local_candidates

    async def gather_servers(self, options: IceOptions, found: Callable[[Candidate], None]) -> None:
        """Ask every STUN and TURN server at once; `found` is called for each new candidate."""
        queries = [self._ask_stun(url, found) for url in options.stun_urls]
        queries += [self._ask_turn(url, options, found) for url in options.turn_urls]
        await asyncio.gather(*(_in_time(query) for query in queries))

    async def _ask_stun(self, url: str, found: Callable[[Candidate], None]) -> None:
        host, port = stun_server(url)
        families = (socket.AF_INET, socket.AF_INET6)
        await asyncio.gather(*(_in_time(self._ask_stun_over(family, host, port, found)) for family in families))

    async def _ask_stun_over(
        self, family: socket.AddressFamily, host: str, port: int, found: Callable[[Candidate], None]
    ) -> None:
        """From every address of ours in that family. Others name the server, so only where viewers may be is asked."""
        is_v6 = family == socket.AF_INET6
        hosts = [
            protocol
            for protocol in self._protocols
            if protocol.local_candidate.type == "host" and (":" in protocol.local_candidate.host) is is_v6
        ]
        if not hosts:
            return
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
        server = infos[0][4]
        if may_reach(str(server[0])):
            await asyncio.gather(*(_in_time(self._ask_stun_from(protocol, server, found)) for protocol in hosts))

    async def _ask_stun_from(
        self, protocol: ice.StunProtocol, server: tuple[Any, ...], found: Callable[[Candidate], None]
    ) -> None:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        response, _ = await protocol.request(request, (server[0], server[1]))
        host, port = response.attributes["XOR-MAPPED-ADDRESS"]
        base = protocol.local_candidate
        if any((c.host, c.port) == (host, port) for c in self._local_candidates):
            return  # there is no NAT, or another server has said the same
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
        self._local_candidates.append(candidate)
        found(candidate)

    async def _ask_turn(self, url: str, options: IceOptions, found: Callable[[Candidate], None]) -> None:
        server = parse_stun_turn_uri(url)
        candidate, protocol = await ice.relayed_candidate(
            component=1,
            hide_related_address=False,
            protocol_factory=lambda: GuardedProtocol(self),
            turn_server=(server["host"], server["port"]),
            turn_username=options.turn_username,
            turn_password=options.turn_password,
            turn_ssl=server["scheme"] == "turns",
            turn_transport=server["transport"],
        )
        if self._closing:
            await protocol.close()
            return
        self._protocols.append(protocol)
        self._local_candidates.append(candidate)
        for remote in list(self._remote_candidates):
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        found(candidate)

    # Ending

    def silence(self) -> None:
        """From now on not one byte leaves, not even a response to a check."""
        self.silenced = True
        self.sink = None
        self.path = None
        self._nominated.clear()

    @property
    def relayed(self) -> bool | None:
        """Whether the path in use goes through a relay; None while there is none."""
        pair = self._nominated.get(1)
        return None if pair is None else "relay" in {pair.local_candidate.type, pair.remote_candidate.type}


class Gatherer(RTCIceGatherer):
    """aiortc's gatherer around the guarded agent."""

    def __init__(self) -> None:
        super().__init__(iceServers=[])
        self.agent = GuardedConnection()
        self._connection = self.agent


async def _in_time(query: Any) -> None:
    """Run one question to a server; one that fails or is late costs nothing."""
    try:
        async with asyncio.timeout(SERVER_TIMEOUT_S):
            await query
    except (TimeoutError, OSError, ValueError, KeyError, stun.TransactionError):
        pass  # a server that cannot be used leaves the other candidates as they are
