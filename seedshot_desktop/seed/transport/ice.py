"""ICE for one viewer: aioice's agent behind guards, and candidates that are never waited for.

aioice gathers everything before it answers, takes non-STUN datagrams from
anybody, and learns peers without bound. Here the host sockets are there at
once, STUN and TURN servers are asked in the background, a datagram counts only
when it comes from an address that has shown the ICE credentials, and what a
peer can make us remember is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aioice import Candidate, Connection, ice, stun
from aioice.mdns import MDnsProtocol
from aiortc import RTCIceGatherer

from seedshot_desktop.seed.addresses import default_route_address
from seedshot_desktop.seed.transport.candidates import is_hidden, may_reach
from seedshot_desktop.seed.transport.consent import Consent
from seedshot_desktop.seed.transport.datagrams import GuardedProtocol, Path, open_host

MAX_HOST_ADDRESSES = 12
"""Sockets of one peer; a machine with dozens of container bridges need not offer them all."""
MAX_REMOTE_CANDIDATES = 40
MAX_PAIRS = 100
"""RFC 8445, section 6.1.2.5."""
MAX_VALIDATED = 64
MAX_QUEUED_DATAGRAMS = 1024
STALE_S = 5.0
"""A path on which the viewer has checked nothing for so long gives way to any other that it nominates."""
CHECK_INTERVAL_S = 0.02
"""Ta, the pace of connectivity checks (RFC 8445, section 14.2)."""


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
        self._checked_at: dict[tuple[str, int], float] = {}
        """When somebody has signed a check from there."""
        self._opening: set[asyncio.Task[MDnsProtocol]] = set()
        self.on_stranger: Callable[[], None] = lambda: None
        """Somebody knows both user names, and not our password."""
        self.on_lost: Callable[[], None] = lambda: None
        """The viewer answers nothing any more, or the way to it is gone."""

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

    def protocol_lost(self, protocol: ice.StunProtocol) -> None:
        nominated = self._nominated.get(1)
        if nominated is not None and nominated.protocol is protocol and not self.silenced:
            self.on_lost()

    # Checks

    def request_received(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        if "ICE-CONTROLLED" in message.attributes:  # who makes the offer is controlling (RFC 8445, section 6.1.1)
            self.refused += 1
            return
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
        if addr in self._validated:
            self._checked_at[addr] = asyncio.get_running_loop().time()
        self._ask_again(addr, protocol)
        super().check_incoming(message, addr, protocol)

    async def check_start(self, pair: ice.CandidatePair) -> None:
        """As aioice has it for who is controlled; that the roles are the other way about is an answer like any error.

        aioice changes the roles and asks again, at once and without an end, whoever it is that makes it.
        """
        assert self.remote_password is not None
        self.check_state(pair, ice.CandidatePair.State.IN_PROGRESS)
        request = self.build_request(pair, nominate=False)
        key = self.remote_password.encode()
        try:
            _, addr = await pair.protocol.request(request, pair.remote_addr, integrity_key=key)
        except stun.TransactionError:
            self.check_state(pair, ice.CandidatePair.State.FAILED)
        else:
            has_passed = addr == pair.remote_addr  # RFC 8445, section 7.2.5.2.1
            pair.nominated = pair.nominated or (has_passed and pair.remote_nominated)
            state = ice.CandidatePair.State
            self.check_state(pair, state.SUCCEEDED if has_passed else state.FAILED)
        self.check_complete(pair)

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
        before = self._nominated.get(1)
        super().check_complete(pair)
        nominated = self._nominated.get(1)
        if nominated is None or self.silenced:
            return
        if before is not None and nominated is not before and not self._gives_way(before, nominated):
            self._nominated[1] = nominated = before
        way = (nominated.protocol, nominated.remote_addr)
        self.path = self.path if self.path is not None and self.path.leads(*way) else Path(*way)

    def _gives_way(self, used: ice.CandidatePair, other: ice.CandidatePair) -> bool:
        """Whether the path in use is left for another that is nominated too: for a better one, or where it is dead.

        A browser may nominate every pair that works, and uses the best (RFC 5245, section 8.1.1.2), in whatever order
        the checks are answered.
        """
        checked_at = self._checked_at.get(used.remote_addr, 0.0)
        return _priority(other) > _priority(used) or asyncio.get_running_loop().time() - checked_at > STALE_S

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

    async def query_consent(self) -> None:
        """Watch whether the viewer is still there; `on_lost` is called when it is not."""
        await Consent(self, lambda: self._nominated.get(1)).expires()
        if not self.silenced:
            self.on_lost()

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """As aioice has it; its socket for hidden names is opened by a task that is never cancelled in between.

        uvloop would leave the socket behind.
        """
        if remote_candidate is not None and is_hidden(remote_candidate) and not self._closing:
            opening = asyncio.create_task(ice.get_or_create_mdns_protocol(self), name="ice names")
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)
            await asyncio.shield(opening)
        await super().add_remote_candidate(remote_candidate)

    async def _pace_checks(self) -> None:
        while self._check_periodic():  # noqa: ASYNC110 - Ta is a clock, not a wait for an event
            await asyncio.sleep(CHECK_INTERVAL_S)

    # Gathering

    async def gather_hosts(self) -> list[Candidate]:
        """Open a socket on every address of this machine, that of the default route first; no server is asked.

        Where the connection ends meanwhile, none is left open, and there are none.
        """
        usual = default_route_address()
        addresses = sorted(ice.get_host_addresses(use_ipv4=True, use_ipv6=True), key=lambda found: found != usual)
        for place, address in enumerate(addresses[:MAX_HOST_ADDRESSES] or ["127.0.0.1"]):
            protocol = await open_host(self, address, place)
            if protocol is None:
                continue
            if self.silenced:
                await protocol.close()
                return []
            self._protocols.append(protocol)
            self._local_candidates.append(protocol.local_candidate)
        self._local_candidates_start = self._local_candidates_end = True
        return self.local_candidates

    # What gathering.Servers asks for

    def host_protocols(self, *, is_v6: bool) -> list[ice.StunProtocol]:
        """The sockets on this machine's own addresses of that family."""
        ours = [(protocol, protocol.local_candidate) for protocol in self._protocols]
        return [protocol for protocol, its in ours if its.type == "host" and (":" in its.host) is is_v6]

    def make_protocol(self) -> GuardedProtocol:
        """What receives behind a relay."""
        return GuardedProtocol(self)

    def add_reflexive(self, candidate: Candidate) -> bool:
        """Keep a public address of ours; False where it is known: there is no NAT, or another server has said it."""
        if any((its.host, its.port) == (candidate.host, candidate.port) for its in self._local_candidates):
            return False
        self._local_candidates.append(candidate)
        return True

    async def add_relay(self, candidate: Candidate, protocol: ice.StunProtocol) -> bool:
        """Keep a relay and pair it with what is known of the viewer; where all is over, close it: False."""
        if self._closing:
            await protocol.close()
            return False
        self._protocols.append(protocol)
        self._local_candidates.append(candidate)
        for remote in list(self._remote_candidates):
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        return True

    # Ending

    def silence(self) -> None:
        """From now on not one byte leaves, not even a response to a check."""
        self.silenced = True
        self.sink = None
        self.path = None
        self._nominated.clear()

    def drop(self) -> None:
        """Forget also what the event loop holds because a socket's buffer was full."""
        self.silence()
        for protocol in self._protocols:
            if isinstance(protocol, GuardedProtocol):
                protocol.drop()

    async def close(self) -> None:
        """Close every socket and end every task."""
        if self._opening:
            await asyncio.wait(self._opening)
        await super().close()

    @property
    def relayed(self) -> bool | None:
        """Whether the path in use goes through a relay; None while there is none."""
        pair = self._nominated.get(1)
        return None if pair is None else "relay" in {pair.local_candidate.type, pair.remote_candidate.type}


def _priority(pair: ice.CandidatePair) -> int:
    """RFC 8445, section 6.1.2.3, as the controlling browser has it."""
    ours, theirs = pair.local_candidate.priority, pair.remote_candidate.priority
    return (min(ours, theirs) << 32) + 2 * max(ours, theirs) + (theirs > ours)


class Gatherer(RTCIceGatherer):
    """aiortc's gatherer around the guarded agent."""

    def __init__(self) -> None:
        super().__init__(iceServers=[])
        self.agent = GuardedConnection()
        self._connection = self.agent
