"""The seeding engine: owns every share and every viewer; commands in, events out, see ``messages``.

``engine = Engine(emit, options, host_server=...)``, then ``await engine.run()``;
``engine.submit(command)`` on the same loop at any time, before ``run`` too. It
is made on a running loop. Events come from that loop, never from inside a call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from seedshot_desktop.errors import FileVanishedError, SeedshotError, SignallingError
from seedshot_desktop.seed import addresses, link
from seedshot_desktop.seed.desk import Desk
from seedshot_desktop.seed.files import SharedFile, open_files
from seedshot_desktop.seed.messages import (
    BaseUrlChanged,
    ChangeLimits,
    CheckNetwork,
    Command,
    CommandFailed,
    Configure,
    DiskFile,
    DismissViewer,
    EndReason,
    EngineFailed,
    EngineOptions,
    EngineStarted,
    EngineStatus,
    Event,
    File,
    Ping,
    Ponged,
    Provide,
    Revoke,
    RevokeAll,
    Seed,
    ServerBack,
    ServerLost,
    ServerState,
    Shared,
    ShareEnded,
    ShareStatus,
    Stop,
    Stopped,
    Unseed,
)
from seedshot_desktop.seed.problems import REFUSALS
from seedshot_desktop.seed.reports import Reports
from seedshot_desktop.seed.session import State
from seedshot_desktop.seed.share import Share
from seedshot_desktop.seed.steps import ConnectionClosed, Dismissed, FilesReady, ShareOver
from seedshot_desktop.seed.tasks import Tasks, wait
from seedshot_desktop.seed.transfer import FailReason
from seedshot_desktop.seed.uplink import HostedServer, HostServer, Uplink
from signal_server.protocol import EndedReason, ErrorCode, Left, Offer, OwnerCandidate, OwnerMessage, id_of_token

READERS = 4
"""Threads that read files."""
FAREWELL_S = 1.2
"""For telling every page and the server, when the engine ends."""
RETRY_S, LONGEST_RETRY_S = 0.5, 30.0
"""Between attempts to go to another server; doubled each time."""
HANG_UP_S = 0.3
"""For closing connections when there is no time to say why."""
LONGEST_TIMER_S = 30.0
"""A loop's timers stand still while the machine sleeps, so none is set for longer."""

_UNSEED = {
    EndReason.EXPIRED: EndedReason.EXPIRED,
    EndReason.USED_UP: EndedReason.EXPIRED,
    EndReason.BROKEN: EndedReason.STOPPED,
}


async def no_embedded_server(options: EngineOptions) -> HostedServer:
    """For an engine that only knows remote servers."""
    raise SignallingError("No server was named. Name one in settings.")


class Engine:
    """One seeding engine on the running loop."""

    def __init__(
        self,
        emit: Callable[[Event], None],
        options: EngineOptions,
        *,
        host_server: HostServer = no_embedded_server,
        clock: Callable[[], float] = addresses.clock,
    ) -> None:
        """`host_server` starts the embedded server, see ``process.host_embedded_server``."""
        self._options = options
        self._clock = clock
        self._shares: dict[str, Share] = {}
        self._tasks = Tasks()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="seedshot reads")
        self._reports = Reports(emit, self.status)
        self._uplink = Uplink(self, host_server, self._moved)
        self._desk = Desk(
            tasks=self._tasks,
            reports=self._reports,
            pool=self._pool,
            clock=clock,
            signal=self._signal,
            used_up=lambda share: self._end(share, EndReason.USED_UP),
        )
        self._desk.configure(options)
        self._expiry: dict[str, asyncio.TimerHandle] = {}
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._started = False
        self._lost = False
        self._complaint = ""

    # Its life

    async def run(self) -> None:
        """Seed until Stop, or until cancelled: then nothing more leaves, and nobody is told."""
        try:
            await self._connect()
        except SignallingError as error:
            self._reports.say(EngineFailed(str(error)))
        else:
            self._started = True
            self._reports.say(EngineStarted(self._uplink.base_url))
            self._reports.touch()
            self._configure(self._options)
            await self._stopping.wait()
            await self._say_farewell()
            self._reports.say(Stopped())
        finally:
            await self._close()

    async def _connect(self) -> None:
        await self._uplink.start(self._options)
        for share in self._shares.values():
            self._uplink.seed(share.id, share.token)

    async def _say_farewell(self) -> None:
        for share in list(self._shares.values()):
            if failure := share.failure:  # nobody took it back: its pages go on saying what became of the files
                self._end(share, EndReason.BROKEN, failure)
        self._end_all(EndReason.REVOKED)
        signalling = self._uplink.signalling
        if signalling is not None:
            await asyncio.wait([self._tasks.own(signalling.flushed(), "flush")], timeout=FAREWELL_S / 2)
        await self._closed(FAREWELL_S / 2)

    def _hang_up(self) -> None:
        """Without Stop: whoever is still there sees the connection close, and that nothing was taken back."""
        for share in self._shares.values():
            visits = self._desk.shut(share)
            share.end(EndReason.REVOKED)
            for visit in visits:
                visit.receive(ConnectionClosed())
        self._shares.clear()

    async def _closed(self, timeout_s: float) -> None:
        """Wait until every connection that is being closed has closed; who takes longer is cut off."""
        if closing := self._tasks.named("close"):
            await asyncio.wait(closing, timeout=timeout_s)

    async def _close(self) -> None:
        for timer in self._expiry.values():
            timer.cancel()
        self._hang_up()
        await self._closed(HANG_UP_S)
        await self._tasks.cancel()
        await self._uplink.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._reports.close()

    # Commands

    def submit(self, command: Command) -> None:
        """Carry out `command`; what can be done at once is done when this returns."""
        match command:
            case Seed():
                self._seed(command)
            case Provide(share, files):
                self._provide(share, files)
            case Revoke(share):
                self._revoke(share)
            case RevokeAll():
                self._end_all(EndReason.REVOKED)
            case Unseed():
                self._unseed(command)
            case DismissViewer(share, viewer):
                visit = self._desk.find(share, viewer)
                if visit is not None:
                    visit.receive(Dismissed())
            case ChangeLimits():
                self._change_limits(command)
            case Configure(options):
                self._configure(options)
            case CheckNetwork():
                self._check_network()
            case Ping(number):
                self._reports.say(Ponged(number))
            case Stop():
                self._stopping.set()

    def status(self) -> EngineStatus:
        """The whole picture."""
        return EngineStatus(
            server=self._uplink.state,
            base_url=self._uplink.base_url,
            server_problem=self._uplink.problem,
            shares=tuple(self._share_status(share) for share in reversed(self._shares.values())),
        )

    def _share_status(self, share: Share) -> ShareStatus:
        visits = self._desk.visits_of(share.id)
        return share.status(tuple(visit.status() for visit in visits if visit.session.greeted))

    def _seed(self, command: Seed) -> None:
        try:
            share = Share(
                command.keys,
                label=command.label,
                limits=command.limits,
                created_at=time.time(),
                now=self._clock(),
            )
        except SeedshotError as error:
            self._reports.say(CommandFailed(str(error)))
            return
        if share.id in self._shares or self._stopping.is_set():
            return
        self._shares[share.id] = share
        self._desk.open(share)
        self._uplink.seed(share.id, share.token)
        self._arm_expiry(share)
        self._reports.touch()
        if command.files is not None:
            self._provide(share.id, command.files)

    def _provide(self, id: str, files: tuple[File, ...]) -> None:
        """Files in memory are there at once; those on disk are looked at in a thread."""
        share = self._shares.get(id)
        if share is None:
            return  # revoked while it was being encoded
        if not files:
            self._end(share, EndReason.BROKEN)  # the owner knows why
        elif any(isinstance(file, DiskFile) for file in files):
            self._tasks.own(self._open(share, files), "open files")
        else:
            self._show_at_once(share, files)

    def _show_at_once(self, share: Share, files: tuple[File, ...]) -> None:
        try:
            self._show(share, open_files(files, share.version_key))
        except SeedshotError as error:
            self._give_up(share, error)

    async def _open(self, share: Share, files: tuple[File, ...]) -> None:
        try:
            loop = asyncio.get_running_loop()
            opened = await loop.run_in_executor(self._pool, open_files, files, share.version_key)
        except SeedshotError as error:
            self._give_up(share, error)
        else:
            self._show(share, opened)

    def _show(self, share: Share, files: tuple[SharedFile, ...]) -> None:
        if share.id not in self._shares or share.files is not None:
            return
        share.files = files
        manifest = share.manifest
        assert manifest is not None
        for visit in self._desk.visits_of(share.id):
            visit.receive(FilesReady(manifest))
        self._reports.touch()

    def _give_up(self, share: Share, error: SeedshotError) -> None:
        """Its files cannot be shared: the owner is told why, and the link is dead."""
        if share.id in self._shares:
            self._reports.say(CommandFailed(str(error), share.id))
            self._end(share, EndReason.BROKEN, "vanished" if isinstance(error, FileVanishedError) else "unreadable")

    def _revoke(self, id: str) -> None:
        share = self._shares.get(id)
        if share is not None:
            self._end(share, EndReason.REVOKED)

    def _end_all(self, reason: EndReason) -> None:
        for share in list(self._shares.values()):
            self._end(share, reason)

    def _end(self, share: Share, reason: EndReason, failure: FailReason = "unreadable") -> None:
        """Over, now: every page is told, the server is told, the memory is let go; `failure` is why it is BROKEN."""
        if self._shares.pop(share.id, None) is None:
            return
        visits = self._desk.shut(share)
        share.end(reason)
        for visit in visits:
            visit.receive(ShareOver(reason, failure))
        self._uplink.unseed(share.id, share.token, _UNSEED.get(reason, EndedReason.REVOKED))
        if timer := self._expiry.pop(share.id, None):
            timer.cancel()
        self._reports.say(ShareEnded(share.id, reason))
        self._reports.touch()

    def _unseed(self, command: Unseed) -> None:
        """A token that is none proves nothing, and what lives here has not ended."""
        token = link.encode_base64url(command.token)
        try:
            share = id_of_token(token)
        except ValueError:
            return
        if share not in self._shares:
            self._uplink.unseed(share, token, _UNSEED.get(command.reason, EndedReason.REVOKED))

    # Limits

    def _change_limits(self, command: ChangeLimits) -> None:
        share = self._shares.get(command.share)
        if share is None:
            return
        visits = self._desk.visits_of(share.id)
        complete = {visit.viewer for visit in visits if visit.session.state is State.COMPLETE}
        without = set(share.change_limits(command.limits, complete))
        for visit in visits:
            if visit.viewer in without:
                visit.receive(ShareOver(EndReason.EXPIRED))
        if share.ended is EndReason.USED_UP and not share.guests:
            self._end(share, EndReason.USED_UP)
        self._arm_expiry(share)
        self._reports.touch()

    def _arm_expiry(self, share: Share) -> None:
        """End the share if its time is over, or look again when it may be."""
        if timer := self._expiry.pop(share.id, None):
            timer.cancel()
        if share.expires_at is None or share.id not in self._shares:
            return
        left = share.expires_at - self._clock()
        if left <= 0:
            self._end(share, EndReason.EXPIRED)
            return
        loop = asyncio.get_running_loop()
        self._expiry[share.id] = loop.call_later(min(left, LONGEST_TIMER_S), self._arm_expiry, share)

    # The network

    def _configure(self, options: EngineOptions) -> None:
        moved = not self._uplink.same_server(options)
        self._options = options
        self._desk.configure(options)
        if moved and self._started:
            self._complaint = ""
            self._hurry.set()
            if not self._tasks.named("reconnect"):
                self._tasks.own(self._reconnect(), "reconnect")

    async def _reconnect(self) -> None:
        """Until the engine is at the server of the latest options; tried again with growing pauses."""
        delay = RETRY_S
        while not self._uplink.same_server(self._options):
            self._hurry.clear()
            await self._change_server()
            if self._uplink.signalling is None:
                await wait(self._hurry, delay)
                delay = min(2 * delay, LONGEST_RETRY_S)

    async def _change_server(self) -> None:
        before = self._uplink.base_url
        await self._uplink.stop()
        self._desk.forget_signalling()
        for share in self._shares.values():
            share.stun_urls = ()
        self._reports.touch()
        try:
            await self._connect()
        except SignallingError as error:
            self._complain(str(error))
        else:
            self._complaint = ""
            if self._uplink.base_url != before:
                self._moved(self._uplink.base_url)

    def _complain(self, problem: str) -> None:
        """There is no server; said once, however often it is tried again."""
        self._lost = True
        if problem != self._complaint:
            self._complaint = problem
            self._reports.say(CommandFailed(problem))
        self._reports.touch()

    def _check_network(self) -> None:
        self._hurry.set()
        self._uplink.check()
        for share in list(self._shares.values()):
            self._arm_expiry(share)

    def _moved(self, base_url: str) -> None:
        self._reports.say(BaseUrlChanged(base_url))
        self._reports.touch()

    def _signal(self, message: OwnerMessage) -> None:
        if self._uplink.signalling is not None:
            self._uplink.signalling.send(message)

    # What the signalling server says: signalling.Listener

    def on_server(self, state: ServerState, problem: str, retry_s: float) -> None:
        """signalling.Listener"""
        changed = state is not self._uplink.state
        self._uplink.state, self._uplink.problem = state, problem
        self._reports.touch()
        if state is ServerState.OFFLINE:
            self._desk.lose_signalling()
            if changed:
                self._lost = True
                self._reports.say(ServerLost(problem, retry_s))
        elif self._lost:
            self._lost = False
            self._reports.say(ServerBack())

    def on_seeding(self, share: str, stun_urls: tuple[str, ...]) -> None:
        """signalling.Listener"""
        if found := self._shares.get(share):
            found.stun_urls = stun_urls
        self._reports.say(Shared(share))

    def on_refused(self, share: str, code: ErrorCode) -> None:
        """signalling.Listener"""
        found = self._shares.get(share)
        if found is None:
            return
        self._reports.say(CommandFailed(REFUSALS[code], share))
        if code is ErrorCode.REVOKED:
            self._end(found, EndReason.REVOKED)

    def on_offer(self, offer: Offer) -> None:
        """signalling.Listener"""
        self._desk.on_offer(offer)

    def on_candidate(self, message: OwnerCandidate) -> None:
        """signalling.Listener"""
        self._desk.on_candidate(message)

    def on_left(self, message: Left) -> None:
        """signalling.Listener"""
        self._desk.on_left(message)
