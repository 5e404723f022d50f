"""The signalling server goes and comes back; transfers go on, links heal, what was ended stays ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from seedshot_desktop.errors import SignallingError
from seedshot_desktop.seed import engine
from seedshot_desktop.seed.messages import (
    CheckNetwork,
    CommandFailed,
    Configure,
    EndReason,
    EngineOptions,
    ServerBack,
    ServerLost,
    ServerState,
    Shared,
    Viewed,
    ViewerLeft,
)
from seedshot_desktop.seed.process import EmbeddedServer, host_embedded_server
from signal_server import protocol
from signal_server.server import ServerConfig, SignalServer
from tests.support import owner as owners
from tests.support.owner import Owner, Shown, content, picture
from tests.support.signal_clients import tls_pair
from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[SignalServer]:
    """A signalling server of its own."""
    async with SignalServer(ServerConfig(host="127.0.0.1", port=port)) as server:
        yield server


def at(port: int) -> EngineOptions:
    return EngineOptions(server_url=f"http://127.0.0.1:{port}")


async def test_a_running_transfer_outlives_the_server_and_the_link_heals() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            share = await owner.share(picture(8_000_000))
            async with Viewer(share.link) as viewer:
                await viewer.fetch(until=200_000)
                await server.close()
                lost = await owner.saw(ServerLost)
                assert lost.reason.endswith(".")
                assert owner.engine.status().server is ServerState.OFFLINE
                assert await viewer.fetch(offset=viewer.held) == content(8_000_000)
                await owner.saw(Viewed)
                async with serving(port):
                    await owner.saw(ServerBack)
                    await owner.saw(Shared, times=2)
                    assert owner.engine.status().server is ServerState.ONLINE
                    async with Viewer(share.link) as other:
                        assert await other.fetch(until=1000)
                    await owner.saw(ViewerLeft)
                    assert not viewer.ended.done()


async def test_a_share_that_ended_while_the_server_was_away_is_ended_there_too() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            ended, live = await owner.share(picture(10)), await owner.share(picture(10))
            await server.close()
            await owner.saw(ServerLost)
            ended.revoke()
            async with serving(port):
                await owner.saw(Shared, lambda event: event.share == live.id, times=2)
                with pytest.raises(NotSeedingError) as told:
                    async with Viewer(ended.link):
                        pass
                assert told.value.message == protocol.Revoked()
                async with Viewer(live.link) as viewer:
                    assert await viewer.fetch() == content(10)


async def test_an_owner_without_a_server_goes_on_trying_and_the_link_starts_to_work() -> None:
    async with serving() as server:
        port = server.address[1]
    async with Owner(at(port)) as owner:
        sharing = asyncio.create_task(owner.share(picture(10)))
        assert "not running" in (await owner.saw(ServerLost)).reason
        async with serving(port):
            share = await sharing
            async with Viewer(share.link) as viewer:
                assert await viewer.fetch() == content(10)


async def test_a_draining_server_is_left_and_found_again() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            share = await owner.share(picture(10))
            async with Viewer(share.link) as viewer:
                await viewer.fetch_all()
                await server.drain()
                await owner.saw(ServerLost)
                async with serving(port):
                    await owner.saw(Shared, times=2)
                    share.revoke()
                    assert await viewer.the_end() == "revoked"


async def test_a_server_with_a_certificate_is_used_where_it_is_trusted_and_not_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tls_pair(tmp_path)
    config = ServerConfig(host="127.0.0.1", tls_certificate=certificate, tls_key=key)
    async with SignalServer(config) as server:
        options = EngineOptions(server_url=f"https://127.0.0.1:{server.address[1]}")
        async with Owner(options) as owner:
            assert "certificate is not valid" in (await owner.saw(ServerLost)).reason
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with Owner(options) as owner:
            share = await owner.share(picture(1000))
            assert share.link.startswith("https://127.0.0.1:")
            async with Viewer(share.link) as viewer:
                assert await viewer.fetch() == content(1000)


async def test_settings_that_lead_nowhere_are_said_and_the_next_ones_are_taken() -> None:
    async with serving() as server, Owner(at(server.address[1])) as owner:
        share = await owner.share(picture(10))
        owner.command(Configure(EngineOptions(server_url="https://[example")))
        assert "must look like" in (await owner.saw(CommandFailed)).problem
        assert owner.engine.status().server is ServerState.OFFLINE
        owner.command(Configure(at(server.address[1])))
        await owner.saw(Shared, times=2)
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(10)


async def test_an_address_that_is_none_is_said_in_a_sentence() -> None:
    owner = Owner(EngineOptions(server_url="https://[example"))
    await owner.engine.run()
    assert [type(event).__name__ for event in owner.events] == ["EngineFailed"]


class LateServer:
    """The embedded server of an engine whose address comes and goes."""

    def __init__(self) -> None:
        self.problem = ""
        self.tries = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, options: EngineOptions) -> EmbeddedServer:
        self.tries += 1
        await self.gate.wait()
        if self.problem:
            raise SignallingError(self.problem)
        return await host_embedded_server(options)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> LateServer:
    server = LateServer()
    monkeypatch.setattr(owners, "host_embedded_server", server)
    return server


MOVED = EngineOptions(listen_host="127.0.0.1", listen_port=0, advertised_host="127.0.0.1")


async def reaches(owner: Owner, share: Shown) -> bool:
    async with Viewer(share.link) as viewer:
        return await viewer.fetch() == content(10)


async def test_a_server_that_cannot_be_started_is_tried_again_by_itself(late: LateServer) -> None:
    async with Owner() as owner:
        share = await owner.share(picture(10))
        late.problem = "The address is not there."
        owner.command(Configure(MOVED))
        await owner.saw(CommandFailed)
        assert owner.engine.status().server_problem == late.problem
        await until(lambda: late.tries >= 3, "another try")
        late.problem = ""
        await owner.saw(ServerBack)
        await owner.saw(Shared, times=2)
        assert await reaches(owner, share)
        assert len(owner.all(CommandFailed)) == 1, "the same problem is said once"


async def test_a_changed_network_ends_the_wait_for_the_server(
    late: LateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_S", 3600.0)
    async with Owner() as owner:
        share = await owner.share(picture(10))
        late.problem = "The address is not there."
        owner.command(Configure(MOVED))
        await owner.saw(CommandFailed)
        late.problem = ""
        owner.command(CheckNetwork())
        await owner.saw(Shared, times=2)
        assert await reaches(owner, share)


async def test_a_share_that_ended_without_any_server_is_ended_at_the_next_one(late: LateServer) -> None:
    async with serving() as server, Owner(at(server.address[1])) as owner:
        share = await owner.share(picture(10))
        link = share.link
        late.problem = "The address is not there."
        owner.command(Configure(MOVED))
        await owner.saw(CommandFailed)
        share.revoke()
        owner.command(Configure(at(server.address[1])))
        await owner.saw(ServerBack)
        live = await owner.share(picture(10))
        with pytest.raises(NotSeedingError) as told:
            async with Viewer(link):
                pass
        assert told.value.message == protocol.Revoked()
        assert await reaches(owner, live)


async def test_what_is_shared_while_a_server_is_being_started_is_shown_to_it(late: LateServer) -> None:
    async with Owner() as owner:
        late.gate.clear()
        owner.command(Configure(MOVED))
        await until(lambda: late.tries == 2, "the start")
        sharing = asyncio.create_task(owner.share(picture(10)))
        await until(lambda: owner.engine.status().shares, "the share")
        late.gate.set()
        assert await reaches(owner, await sharing)


async def test_options_that_change_while_the_first_server_is_being_started_are_taken(late: LateServer) -> None:
    late.gate.clear()
    owner = Owner()
    running = asyncio.create_task(owner.__aenter__())
    await until(lambda: late.tries == 1, "the start")
    async with serving() as server:
        owner.command(Configure(at(server.address[1])))
        late.gate.set()
        await running
        share = await owner.share(picture(10))
        await until(lambda: owner.base_url.endswith(f":{server.address[1]}"), "the move")
        assert await reaches(owner, share)
        await owner.stop()


class Wire:
    """A TCP relay to a server, which can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._streams: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._streams += [writer, back]
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    def cut(self) -> None:
        """Every connection breaks."""
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()


async def test_a_viewer_who_vanishes_after_the_owner_connected_again_is_missed_soon() -> None:
    async with serving() as server:
        wire = Wire(server.address[1])
        relay = await asyncio.start_server(wire, "127.0.0.1", 0)
        async with relay, Owner(at(relay.sockets[0].getsockname()[1])) as owner:
            share = await owner.share(picture(10))
            direct = f"http://127.0.0.1:{server.address[1]}"
            async with Viewer(share.link, server_url=direct, pong=False) as viewer:
                await viewer.fetch()
                await owner.saw(Viewed)
                wire.cut()
                await owner.saw(Shared, times=2)
                assert owner.all(ViewerLeft) == []
                await viewer.socket.close()
                assert (await owner.saw(ViewerLeft)).reason is EndReason.LOST
                assert viewer.pings == 1
            wire.cut()
