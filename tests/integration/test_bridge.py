"""The bridge to the engine: real processes on both ends, killed, garbled, missing, and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    Configure,
    EndReason,
    EngineOptions,
    EngineStarted,
    Event,
    Keys,
    Limits,
    MemoryFile,
    Ponged,
    Provide,
    Revoke,
    Seed,
    Shared,
    ShareEnded,
    StatusChanged,
    Stopped,
)
from seedshot_desktop.seed.signalling import signalling_url
from seedshot_desktop.ui.bridge import EngineBridge
from seedshot_desktop.ui.heartbeat import Heartbeat
from signal_server import protocol
from signal_server.server import ServerConfig, SignalServer
from tests.support.expectations import LogWatch
from tests.support.qt import Run, qt_loop
from tests.support.waiting import until

LOCAL = EngineOptions(listen_host="127.0.0.1", listen_port=0, advertised_host="127.0.0.1")
FILES = (MemoryFile("a.png", "image/png", b"pixels" * 100),)
_COARSE = 0.94
"""Qt's timers may come 5 % early (Qt.TimerType.CoarseTimer)."""
DIED = "the engine ended by itself"
_WRITE_THE_TIME_AND_DIE = """
import os, sys, time
with open(sys.argv[1], "a") as diary:
    print(time.monotonic(), file=diary, flush=True)
    os._exit(1)
"""


class Ear:
    """Everything that a bridge says."""

    def __init__(self, bridge: EngineBridge) -> None:
        self.events: list[Event] = []
        self.deaths: list[str] = []
        self.starts = 0
        bridge.heard.connect(self.events.append)
        bridge.died.connect(self.deaths.append)
        bridge.started.connect(self._on_start)

    def _on_start(self) -> None:
        self.starts += 1

    def shared(self) -> int:
        """How often the server has taken a share."""
        return sum(isinstance(event, Shared) for event in self.events)

    def status(self) -> StatusChanged | None:
        """The last one."""
        return next((event for event in reversed(self.events) if isinstance(event, StatusChanged)), None)


@contextmanager
def bridged(options: EngineOptions = LOCAL, **arguments: Any) -> Iterator[tuple[EngineBridge, Ear, Run[Any]]]:
    """A bridge on Qt's loop; stopped at the end."""
    with qt_loop() as run:
        bridge = EngineBridge(options, **arguments)
        ear = Ear(bridge)
        try:
            yield bridge, ear, run
        finally:
            run(bridge.stop())


def seed(**fields: Any) -> tuple[str, Seed]:
    keys = link.mint()
    sent = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
    return keys.share, Seed(sent, "Screenshot", **fields)


async def started(bridge: EngineBridge, ear: Ear, times: int = 1) -> None:
    if not bridge.running:
        bridge.start()
    await until(lambda: sum(isinstance(event, EngineStarted) for event in ear.events) >= times, "the engine")


def test_the_engine_starts_and_says_where_links_lead() -> None:
    with bridged() as (bridge, ear, run):
        run(started(bridge, ear))
        known = next(event for event in ear.events if isinstance(event, EngineStarted))
        assert known.base_url.startswith("http://127.0.0.1:")
        assert bridge.process_id


def test_what_is_sent_before_the_engine_is_there_is_not_lost() -> None:
    share, command = seed()

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.send(command)
        bridge.send(Provide(share, FILES))
        await started(bridge, ear)
        await until(lambda: Shared(share) in ear.events, "the share")
        await until(lambda: (s := ear.status()) and s.status.shares and not s.status.shares[0].preparing, "its files")

    with bridged() as (bridge, ear, run):
        run(story(bridge, ear))


def test_shares_live_on_when_the_engine_is_killed(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)
    kept, over = seed(files=FILES), seed(files=FILES)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        for _, command in (kept, over):
            bridge.send(command)
        await until(lambda: ear.shared() == 2, "two shares")
        bridge.send(Revoke(over[0]))
        first = bridge.process_id
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: ear.deaths, "word of its death")
        await started(bridge, ear, times=2)
        await until(lambda: ear.shared() == 3, "the share that lives")
        assert bridge.process_id != first
        await until(lambda: (s := ear.status()) and [x.share for x in s.status.shares] == [kept[0]], "that one alone")

    with bridged() as (bridge, ear, run):
        run(story(bridge, ear))


def test_an_engine_that_stands_still_is_replaced_and_its_shares_live_on(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)
    expected_log.expect("does not answer")
    share, command = seed(files=FILES)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        bridge.send(command)
        await until(lambda: ear.shared() == 1, "the share")
        first = bridge.process_id
        assert first
        os.kill(first, signal.SIGSTOP)
        await until(lambda: ear.deaths, "its end")
        assert "did not answer" in ear.deaths[0]
        assert not _runs(first)
        await started(bridge, ear, times=2)
        await until(lambda: ear.shared() == 2, "the share again")
        await until(lambda: (s := ear.status()) and [x.share for x in s.status.shares] == [share], "that one")
        assert bridge.process_id != first

    with bridged(beat_s=0.3) as (bridge, ear, run):
        run(story(bridge, ear))


def test_an_engine_that_answers_is_asked_again_and_nobody_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []
    hear = Heartbeat.answered

    def answered(self: Heartbeat, number: int) -> None:
        answers.append(number)
        hear(self, number)

    monkeypatch.setattr(Heartbeat, "answered", answered)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        first = bridge.process_id
        bridge.send(seed(files=FILES)[1])
        await until(lambda: len(answers) >= 3, "three answers")
        assert answers == list(range(1, len(answers) + 1))
        assert bridge.process_id == first
        assert not [event for event in ear.events if isinstance(event, Ponged)]

    with bridged(beat_s=0.3) as (bridge, ear, run):
        run(story(bridge, ear))


def test_an_idle_engine_is_left_alone() -> None:
    share, command = seed(files=FILES)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        watched = [bridge.watched]
        for order in (command, Revoke(share)):
            bridge.send(order)
            watched.append(bridge.watched)
        assert watched == [False, True, False]

    with bridged() as (bridge, ear, run):
        run(story(bridge, ear))


def test_a_share_that_is_revoked_while_the_engine_is_dead_is_revoked_at_its_server(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)
    share, command = seed(files=FILES)
    view = protocol.encode(protocol.View(share, "an offer"))

    async def story(server: SignalServer, bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        bridge.send(command)
        await until(lambda: Shared(share) in ear.events, "the share")
        assert bridge.process_id
        os.kill(bridge.process_id, signal.SIGKILL)
        await until(lambda: ear.deaths, "word of its death")
        assert not bridge.running
        bridge.send(Revoke(share))
        await started(bridge, ear, times=2)
        async with connect(signalling_url(base_url(server)), compression=None) as viewer:
            await viewer.send(view)
            heard = None
            while heard != protocol.Revoked():
                heard = protocol.decode_to_viewer(str(await asyncio.wait_for(viewer.recv(), 10)))
                if heard == protocol.Online():
                    await viewer.send(view)

    def base_url(server: SignalServer) -> str:
        return f"http://127.0.0.1:{server.address[1]}"

    with qt_loop() as run:
        server = SignalServer(ServerConfig(host="127.0.0.1", port=0))
        run(server.start())
        bridge = EngineBridge(EngineOptions(server_url=base_url(server)))
        try:
            run(story(server, bridge, Ear(bridge)))
        finally:
            run(bridge.stop())
            run(server.close())


def test_a_share_that_runs_out_while_the_engine_is_away_is_over(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)
    now = [1000.0]
    share, command = seed(files=FILES, limits=Limits(expires_s=60.0))

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        bridge.send(command)
        await until(lambda: ear.shared() == 1, "the share")
        now[0] += 61.0
        assert bridge.process_id
        os.kill(bridge.process_id, signal.SIGKILL)
        await until(lambda: ShareEnded(share, EndReason.EXPIRED) in ear.events, "its end")
        await started(bridge, ear, times=2)

    with bridged(clock=lambda: now[0]) as (bridge, ear, run):
        run(story(bridge, ear))


def test_stopping_revokes_and_leaves_no_process() -> None:
    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        bridge.send(seed(files=FILES)[1])
        await until(lambda: ear.shared() == 1, "the share")
        begun = time.monotonic()
        await bridge.stop()
        assert time.monotonic() - begun < 2.5
        assert Stopped() in ear.events
        assert not bridge.running
        assert ear.deaths == []

    with bridged() as (bridge, ear, run):
        run(story(bridge, ear))


def test_a_session_that_ends_stops_it_without_a_loop() -> None:
    with bridged() as (bridge, ear, run):
        run(started(bridge, ear))
        bridge.stop_now()
        assert not bridge.running


def test_an_engine_that_ignores_stop_is_killed_in_time(expected_log: LogWatch) -> None:
    expected_log.expect("did not end in time")
    deaf = (sys.executable, "-c", "import threading; threading.Event().wait()")

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.start()
        await until(lambda: bridge.running, "the process")
        begun = time.monotonic()
        await bridge.stop(timeout_s=0.2)
        await until(lambda: not bridge.running, "its end")
        assert time.monotonic() - begun < 2

    with bridged(program=deaf) as (bridge, ear, run):
        run(story(bridge, ear))


def test_an_engine_that_speaks_garbage_is_replaced(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)
    babbling = (
        sys.executable,
        "-c",
        "import sys; sys.stdout.write('hello, this is no frame'); sys.stdout.flush(); input()",
    )

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.start()
        await until(lambda: len(ear.deaths) >= 2, "two deaths")
        assert "does not know" in ear.deaths[0]
        assert ear.events == []

    with bridged(program=babbling, pauses_s=(0.0,)) as (bridge, ear, run):
        run(story(bridge, ear))


def test_pauses_grow_while_an_engine_keeps_dying(expected_log: LogWatch, tmp_path: Path) -> None:
    """Measured from process to process: when the app hears of a death says nothing, its pause has begun by then."""
    expected_log.expect(DIED)
    diary = tmp_path / "lives"
    dying = (sys.executable, "-S", "-c", _WRITE_THE_TIME_AND_DIE, str(diary))

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.start()
        await until(lambda: len(ear.deaths) >= 4, "four deaths")

    with bridged(program=dying, pauses_s=(0.0, 0.1, 0.4)) as (bridge, ear, run):
        run(story(bridge, ear))
    times = [float(line) for line in diary.read_text().split()]
    assert times[2] - times[1] >= 0.1 * _COARSE, times
    assert times[3] - times[2] >= 0.4 * _COARSE, times


def test_a_program_that_is_not_there_is_said(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.start()
        await until(lambda: ear.deaths, "the sentence")
        assert "could not be started" in ear.deaths[0]

    with bridged(program=("/nonexistent/engine",), pauses_s=(60.0,)) as (bridge, ear, run):
        run(story(bridge, ear))


def test_new_options_end_the_pause(expected_log: LogWatch) -> None:
    expected_log.expect(DIED)

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        bridge.start()
        await until(lambda: ear.deaths, "a death")
        bridge.send(Configure(LOCAL))
        await until(lambda: len(ear.deaths) == 2, "another try")

    with bridged(program=(sys.executable, "-c", "raise SystemExit(1)"), pauses_s=(600.0,)) as (bridge, ear, run):
        run(story(bridge, ear))


@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_000])
def test_captures_of_any_size_cross_without_holding_up_the_loop(size: int) -> None:
    share, command = seed()

    async def story(bridge: EngineBridge, ear: Ear) -> None:
        await started(bridge, ear)
        bridge.send(command)
        engine = bridge.process_id
        assert engine
        os.kill(engine, signal.SIGSTOP)  # whoever waits for it to read would wait for good
        try:
            begun = time.thread_time()
            bridge.send(Provide(share, (MemoryFile("a.webp", "image/webp", bytes(size)),)))
            assert time.thread_time() - begun < 0.1
        finally:
            os.kill(engine, signal.SIGCONT)
        await until(
            lambda: (
                (s := ear.status()) and s.status.shares and [file.size for file in s.status.shares[0].files] == [size]
            ),
            "the file",
        )

    with bridged() as (bridge, ear, run):
        run(story(bridge, ear))


def test_the_engine_ends_with_the_app_that_started_it() -> None:
    program = """
import asyncio, os, sys
from tests.support.qt import qt_loop
from tests.support.waiting import until
from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.ui.bridge import EngineBridge
with qt_loop() as run:
    bridge = EngineBridge(EngineOptions(listen_host="127.0.0.1", listen_port=0, advertised_host="127.0.0.1"))
    heard = []
    bridge.heard.connect(heard.append)
    bridge.start()
    run(until(lambda: heard, "the engine"))
    print(bridge.process_id, flush=True)
    os.kill(os.getpid(), 9)
"""

    async def story() -> None:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        output, _ = await child.communicate()
        engine = int(output)
        await until(lambda: not _runs(engine), "the end of the engine")

    asyncio.run(story())


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
