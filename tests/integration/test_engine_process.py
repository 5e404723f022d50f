"""The engine in a process of its own: it serves, it obeys, and it never outlives whoever started it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    Configure,
    EngineFailed,
    EngineOptions,
    EngineStarted,
    Keys,
    Revoke,
    RevokeAll,
    Seed,
    Shared,
    Stop,
    Stopped,
    Viewed,
    frame,
)
from tests.support.engine_child import EngineChild
from tests.support.owner import LOCAL, content, picture
from tests.support.viewer import Viewer
from tests.support.waiting import until


async def shared(child: EngineChild, size: int) -> str:
    """Share a picture; its link."""
    keys = link.mint()
    wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
    child.send(Seed(wire, "a picture", files=(picture(size),)))
    await child.saw(Shared)
    return str(keys.link((await child.saw(EngineStarted)).base_url))


UNKNOWN_TYPE = b"\x00\x00\x00\x0c" + b"\x81\xa4type\xa5Seed_"
"""A frame whose message has a type that there is not."""


async def test_it_serves_and_ends_when_it_is_told_to() -> None:
    async with EngineChild() as child:
        async with Viewer(await shared(child, 500_000)) as viewer:
            assert await viewer.fetch() == content(500_000)
            await child.saw(Viewed)
            child.send(Stop())
            assert await viewer.the_end() == "revoked"
        await child.saw(Stopped)
        assert await child.exit_code() == 0
        assert await child.words() == ""


async def test_a_parent_that_says_stop_and_leaves_is_obeyed_to_the_end() -> None:
    async with EngineChild() as child:
        async with Viewer(await shared(child, 50_000_000)) as viewer:
            await viewer.fetch(until=100_000)
            child.send(Stop())
            child.close_stdin()
            assert await viewer.the_end() == "revoked"
        await child.saw(Stopped)
        assert await child.exit_code() == 0


async def test_it_ends_when_its_parent_is_gone_and_nothing_more_leaves() -> None:
    async with EngineChild() as child, Viewer(await shared(child, 100_000_000)) as viewer:
        await viewer.fetch(until=300_000)
        began = time.monotonic()
        child.close_stdin()
        assert await child.exit_code() == 3
        assert time.monotonic() - began < 2.5
        assert viewer.payload_bytes < 100_000_000
        await asyncio.wait_for(viewer.closed.wait(), 5)
        await asyncio.wait_for(viewer.socket.wait_closed(), 5)
        assert not viewer.ended.done(), "nothing was taken back: the owner is gone"


def resident_bytes(child: EngineChild) -> int:
    """Memory of the child's process."""
    fields = Path(f"/proc/{child.process.pid}/statm").read_text("ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_the_memory_of_a_share_that_is_taken_back_is_given_back() -> None:
    size = 100_000_000
    async with EngineChild() as child:
        async with Viewer(await shared(child, 1000)) as viewer:
            await viewer.fetch_all()
        idle = resident_bytes(child)
        keys = link.mint()
        wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        child.send(Seed(wire, "large", files=(picture(size),)))
        base_url = (await child.saw(EngineStarted)).base_url
        await child.saw(Shared, lambda event: event.share == keys.share)
        async with Viewer(str(keys.link(base_url))) as viewer:
            await viewer.fetch(until=200_000)
            held = resident_bytes(child) - idle
            assert size <= held < 1.4 * size, "the file once, and not its frame too"
            child.send(Revoke(keys.share))
            assert await viewer.the_end() == "revoked"
        await until(lambda: resident_bytes(child) - idle < size // 4, "the memory is given back")


FAULTY = """
import asyncio, logging, sys, threading
from seedshot_desktop.seed import process

async def fail():
    raise ValueError("192.0.2.1")

async def faults(source, sink, main=process._main):
    await main(source, sink)
    loop = asyncio.get_running_loop()
    await asyncio.wait([loop.create_task(fail())])
    loop.call_soon(lambda: {}["192.0.2.1"])
    thread = threading.Thread(target=lambda: open("192.0.2.1"))
    thread.start()
    thread.join()
    logging.getLogger("aioice").warning("192.0.2.1")
    logging.getLogger("seedshot_desktop.seed").warning("a warning of our own")
    await asyncio.sleep(0)
    raise LookupError("192.0.2.1")

process._main = faults
sys.exit(process.main())
"""
"""The child process, in which everything fails once that may."""


async def test_no_text_of_an_error_and_no_line_of_another_library_is_logged() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FAULTY, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=os.environ
    )
    async with asyncio.timeout(15):
        _, words = await child.communicate(frame(Configure(LOCAL)) + frame(Stop()))
    told = [line.partition(" at ")[0] for line in words.decode().splitlines()]
    faults = ("FileNotFoundError", "KeyError", "LookupError", "ValueError")
    expected = [f"seedshot engine: an error that nobody expected: {kind}" for kind in faults]
    assert sorted(told) == [*sorted(["seedshot engine: a warning of our own", *expected])]


async def test_an_interrupt_from_the_terminal_is_the_parents_business() -> None:
    async with EngineChild() as child:
        child.process.send_signal(signal.SIGINT)
        async with Viewer(await shared(child, 10)) as viewer:
            assert await viewer.fetch() == content(10)
        child.send(Stop())
        assert await child.exit_code() == 0


async def test_a_stream_that_holds_no_commands_ends_it() -> None:
    for garbage in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", UNKNOWN_TYPE):
        async with EngineChild() as child:
            child.send_bytes(garbage)
            assert await child.exit_code() == 2


async def test_commands_before_the_options_are_garbage() -> None:
    child = EngineChild()
    await child.start()
    child.send(RevokeAll())
    assert await child.exit_code() == 2
    await child.__aexit__(None, None, None)


async def test_a_taken_port_gives_way_to_the_next_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with EngineChild(EngineOptions(listen_host="127.0.0.1", listen_port=port)) as child:
            base_url = (await child.saw(EngineStarted)).base_url
            assert port < int(base_url.rpartition(":")[2]) <= port + 32


async def test_a_host_that_cannot_be_had_is_said_in_a_sentence() -> None:
    child = EngineChild()
    await child.start()
    child.send(Configure(EngineOptions(listen_host="192.0.2.1", listen_port=0)))
    failed = await child.saw(EngineFailed)
    assert failed.problem.endswith(".")
    assert await child.exit_code() == 1
    await child.__aexit__(None, None, None)
