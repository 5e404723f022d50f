"""A share that is revoked where nobody can be told: its token is kept until its server has heard of the end."""

from __future__ import annotations

import os
import signal

from websockets.asyncio.client import connect

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    EngineOptions,
    EngineStarted,
    Event,
    Keys,
    MemoryFile,
    Revoke,
    Seed,
    ServerLost,
    Shared,
)
from seedshot_desktop.seed.signalling import signalling_url
from seedshot_desktop.ui.bridge import EngineBridge
from signal_server import protocol
from signal_server.server import ServerConfig, SignalServer
from tests.support.expectations import LogWatch
from tests.support.qt import qt_loop
from tests.support.waiting import until, within


class Ear:
    """The events of one engine after the other."""

    def __init__(self, bridge: EngineBridge) -> None:
        self.events: list[Event] = []
        bridge.heard.connect(self.events.append)

    async def hears(self, kind: type[Event], times: int = 1) -> None:
        await until(lambda: sum(isinstance(event, kind) for event in self.events) >= times, kind.__name__)


async def kill(bridge: EngineBridge) -> None:
    """End the engine as a crash does."""
    killed = bridge.process_id
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    await until(lambda: bridge.process_id != killed, "its end")


async def answer_to(url: str, share: str) -> protocol.ToViewer:
    """What somebody who opens the link hears, once it is not that the owner is away."""
    return await within(_answer_to(url, share), "an answer that is the last", 20.0)


async def _answer_to(url: str, share: str) -> protocol.ToViewer:
    view = protocol.encode(protocol.View(share, "an offer"))
    async with connect(signalling_url(url), compression=None, proxy=None) as viewer:
        await viewer.send(view)
        while True:
            heard = protocol.decode_to_viewer(str(await viewer.recv()))
            if isinstance(heard, protocol.Online):
                await viewer.send(view)
            elif not isinstance(heard, protocol.Offline | protocol.Unknown):
                return heard


def test_a_revoke_outlives_two_engines_and_a_server_that_is_away(expected_log: LogWatch) -> None:
    expected_log.expect("the engine ended by itself")
    keys = link.mint()
    sent = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)

    async def story(bridge: EngineBridge, ear: Ear, server: SignalServer, url: str) -> None:
        bridge.start()
        await ear.hears(EngineStarted)
        bridge.send(Seed(sent, "Screenshot", files=(MemoryFile("a.png", "image/png", b"pixels"),)))
        await ear.hears(Shared)
        await server.close()
        await kill(bridge)
        bridge.send(Revoke(keys.share))
        await ear.hears(EngineStarted, 2)
        await ear.hears(ServerLost)
        await kill(bridge)
        await ear.hears(EngineStarted, 3)
        async with SignalServer(ServerConfig(host="127.0.0.1", port=server_port(url))):
            assert await answer_to(url, keys.share) == protocol.Revoked()

    with qt_loop() as run:
        server = SignalServer(ServerConfig(host="127.0.0.1", port=0))
        run(server.start())
        url = f"http://127.0.0.1:{server.address[1]}"
        bridge = EngineBridge(EngineOptions(server_url=url))
        try:
            run(story(bridge, Ear(bridge), server, url))
        finally:
            run(bridge.stop())


def server_port(url: str) -> int:
    return int(url.rpartition(":")[2])
