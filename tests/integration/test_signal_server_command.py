"""``seedshot-signal`` as its own process, on the loop that it picks: started, used, told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signal_server.protocol import CloseCode, Draining, Offer, Seed, Seeding, View, encode_base64url, id_of_token
from tests.support.children import kill
from tests.support.signal_clients import HOST, client, raw, request, tls_pair
from tests.support.waiting import within

ROOT = Path(__file__).parents[2]
TOKEN = encode_base64url(b"0123456789abcdef")
ID = id_of_token(TOKEN)


@dataclass
class Program:
    """The running command."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def address(self) -> tuple[str, int]:
        return HOST, int(self.url.rstrip("/").rpartition(":")[2])

    async def ends(self) -> tuple[int, str, str]:
        """Exit status, the rest of standard output, standard error."""
        out, err = await within(self.process.communicate(), "the end of the command")
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signal_server", "--host", HOST, "--port", "0", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await within(process.stdout.readline(), "the first line")).decode()
        assert line.startswith("Listening on http")
        yield Program(process, line.split()[-1])
    finally:
        kill(process)
        await process.wait()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_a_session_and_a_clean_end(secure: bool, tmp_path: Path) -> None:
    certificate, key = tls_pair(tmp_path)
    arguments = ["--tls-cert", str(certificate), "--tls-key", str(key)] if secure else []
    options: dict[str, Any] = {"ssl": ssl.create_default_context(cafile=str(certificate))} if secure else {}
    async with started("--verbose", "--drain", "0.2", *arguments) as program:
        assert program.url == f"{'https' if secure else 'http'}://{HOST}:{program.address[1]}/"
        async with client(program, owner=True, **options) as owner, client(program, **options) as viewer:
            await owner.says(Seed(TOKEN))
            assert await owner.hears() == Seeding(ID, (f"stun:*:{program.address[1]}",))
            await viewer.says(View(ID, "canary-offer"))
            offer = await owner.hears()
            assert offer == Offer(ID, offer.viewer, "canary-offer")
            assert (await request(program, "GET / HTTP/1.1\nHost: {host}", **options)).status == 200
            program.process.send_signal(signal.SIGTERM)
            assert await owner.hears() == Draining()
            assert await owner.is_closed() == await viewer.is_closed() == CloseCode.SERVICE_RESTART
        status, out, log = await program.ends()
    assert (status, out) == (0, "")
    assert "draining: Counts(sockets=2, owners=1, viewers=1, shares=1, paired=1" in log
    assert not [canary for canary in ("Traceback", TOKEN, ID, offer.viewer, "canary", HOST) if canary in log]


async def test_it_ends_in_time_with_hanging_connections(tmp_path: Path) -> None:
    certificate, key = tls_pair(tmp_path)
    async with started("--tls-cert", str(certificate), "--tls-key", str(key)) as program, raw(program), raw(program):
        program.process.send_signal(signal.SIGINT)
        assert await program.ends() == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], ("stun:*:{port}",)),
        (["--no-stun"], ()),
        (["--stun", "stun:a.example", "--stun", "stun:[::1]:3478"], ("stun:a.example", "stun:[::1]:3478")),
        (["--no-stun", "--stun", "stun:a.example"], ("stun:a.example",)),
        (["--stun", "stun:*:443"], ("stun:*:443",)),
    ],
)
async def test_owners_are_told_of_stun_servers(arguments: list[str], told: tuple[str, ...]) -> None:
    async with started(*arguments) as program, client(program, owner=True) as owner:
        await owner.says(Seed(TOKEN))
        port = program.address[1]
        assert await owner.hears() == Seeding(ID, tuple(url.replace("{port}", str(port)) for url in told))
        answers = not arguments or "stun:*:443" in arguments
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            if answers:
                with pytest.raises(OSError, match="in use"):
                    sock.bind((HOST, port))
            else:
                sock.bind((HOST, port))


async def test_options_reach_the_server() -> None:
    async with started("--allowed-host", "share.example", "--max-viewers", "1") as program:
        for host, status in (("share.example", 200), ("other.example", 421)):
            assert (await request(program, f"GET / HTTP/1.1\nHost: {host}")).status == status
        async with (
            client(program, owner=True) as owner,
            client(program) as first,
            client(program) as second,
        ):
            await owner.says(Seed(TOKEN))
            await owner.hears()
            await first.says(View(ID, "first"))
            await owner.hears()
            await second.says(View(ID, "second"))
            assert type(await second.hears()).__name__ == "NoRoom"
