"""The commands that ask the running app, as processes, against a toy app on the real control socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from seedshot_desktop import control, settings
from seedshot_desktop.control import Code, ListedShare, Reply, Request
from tests.support.command_line import Seedshot, seedshot
from tests.support.waiting import until

SHARES = (
    ListedShare("-bCDEFGHIJKLMN", "Screenshot", "http://x/#one", 100.0, 1, 2000, 2, 3, 20, max_views=5),
    ListedShare("ABCDEFGHIJKLMN", "evil\x1b[2Jname", "http://x/#two", 90.0, 1, 10, 0, 0, 0, problem="It vanished."),
    ListedShare("ABYYYYYYYYYYYY", "third", "http://x/#three", 80.0, 2, 0, 0, 0, 0, preparing=True),
)


class ToyApp:
    """Answers each request with what the test says."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Reply]] = {"ListRequest": [Reply(ok=True, shares=SHARES, server="online")]}
        self.requests: list[Request] = []
        self.hung_up = asyncio.Event()
        self.close: Callable[[], None]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if line := await reader.readline():
            request = control.decode_request(line)
            self.requests.append(request)
            for reply in self.answers.get(type(request).__name__, []):
                writer.write(control.encode_reply(reply))
            if isinstance(request, control.QuitRequest):
                self.close()
            if type(request).__name__ not in self.answers:
                await reader.read()
                self.hung_up.set()
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ToyApp]:
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / "run"))
    toy = ToyApp()
    server = await asyncio.start_unix_server(toy.converse, control.socket_name())
    toy.close = server.close
    async with server:
        yield toy


async def run(home: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors of one command."""
    async with seedshot(home, *arguments, stdin=stdin is not None) as command:
        if stdin is not None:
            await command.feed(stdin)
        return await outcome(command)


async def outcome(command: Seedshot) -> tuple[int, str, str]:
    output, errors = await command.process.communicate()
    return command.process.returncode or 0, output.decode(), errors.decode()


@pytest.mark.parametrize("arguments", [["list"], ["capture"], ["revoke", "--all"], ["quit"], ["settings"]])
async def test_without_the_app_it_says_how_to_start_it(tmp_path: Path, arguments: list[str]) -> None:
    code, output, errors = await run(tmp_path, *arguments)
    assert (code, output) == (3, "")
    assert errors.startswith("seedshot: Seedshot is not running. Start it with: seedshot")


async def test_without_the_app_json_says_so_too(tmp_path: Path) -> None:
    code, output, errors = await run(tmp_path, "list", "--json")
    assert (code, errors) == (3, "")
    assert json.loads(output)["event"] == "error"


async def test_the_list_is_for_people(tmp_path: Path, app: ToyApp) -> None:
    code, output, errors = await run(tmp_path, "list")
    assert (code, errors) == (0, "")
    assert "-bCDEFGHIJKLMN  Screenshot  (2.00 kB, 2 viewers now, 3 of 5 views, " in output
    assert "\x1b" not in output, "a file's name cannot steer the terminal"
    assert "It vanished." in output
    assert "third  (preparing, " in output
    assert "http://x/#two" in output


async def test_the_list_is_for_programs(tmp_path: Path, app: ToyApp) -> None:
    _, output, _ = await run(tmp_path, "list", "--json")
    listed = [json.loads(line) for line in output.splitlines()]
    assert [item["share"] for item in listed] == [share.share for share in SHARES]
    assert listed[0] == {name: getattr(SHARES[0], name) for name in ListedShare.__struct_fields__}


async def test_an_empty_list_says_so(tmp_path: Path, app: ToyApp) -> None:
    app.answers["ListRequest"] = [Reply(ok=True, shares=(), server="offline")]
    code, output, errors = await run(tmp_path, "list")
    assert (code, output) == (0, "")
    assert "Nothing is shared." in errors
    assert "out of reach" in errors


@pytest.mark.parametrize("wanted", ["-bCDEFGHIJKLMN", "ABC", "ABYYYYYYYYYYYY"])
async def test_a_share_is_revoked_by_its_id_or_the_start_of_it(tmp_path: Path, app: ToyApp, wanted: str) -> None:
    app.answers["RevokeRequest"] = [Reply(ok=True, revoked=1)]
    code, _, errors = await run(tmp_path, "revoke", wanted)
    assert code == 0, errors
    request = app.requests[-1]
    assert isinstance(request, control.RevokeRequest)
    assert (request.share or "").startswith(wanted)
    assert errors == "Took back 1 share.\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(["AB"], "More than one"), ([], "more than one share"), (["ZZ"], "no such share"), (["http://x/#y"], "link")],
)
async def test_it_revokes_nothing_when_in_doubt(
    tmp_path: Path, app: ToyApp, arguments: list[str], problem: str
) -> None:
    code, output, errors = await run(tmp_path, "revoke", *arguments)
    assert (code, output) == (1, "")
    assert problem in errors
    assert all(isinstance(request, control.ListRequest) for request in app.requests)


async def test_all_shares_are_revoked_at_once(tmp_path: Path, app: ToyApp) -> None:
    app.answers["RevokeRequest"] = [Reply(ok=True, revoked=3)]
    _, output, _ = await run(tmp_path, "revoke", "--all", "--json")
    assert json.loads(output) == {"event": "revoked", "revoked": 3, "share": None}
    assert app.requests == [control.RevokeRequest(all=True)]


async def test_a_capture_prints_its_link(tmp_path: Path, app: ToyApp) -> None:
    app.answers["CaptureRequest"] = [Reply(ok=True, link="http://x/#y", share="ABC", saved="/tmp/p.png")]
    assert await run(tmp_path, "capture", "screen", "--save", "p.png") == (
        *(0, "http://x/#y\n"),
        "Saved as /tmp/p.png\n",
    )
    request = app.requests[0]
    assert isinstance(request, control.CaptureRequest)
    assert request.mode == "screen"
    assert Path(request.save or "").is_absolute()


async def test_a_cancelled_capture_has_a_code_of_its_own(tmp_path: Path, app: ToyApp) -> None:
    app.answers["CaptureRequest"] = [Reply(ok=False, error="Nothing was chosen.", code=Code.CANCELLED)]
    assert await run(tmp_path, "capture") == (4, "", "seedshot: Nothing was chosen.\n")


async def test_interrupting_a_capture_hangs_up(tmp_path: Path, app: ToyApp) -> None:
    async with seedshot(tmp_path, "capture") as command:
        await until(lambda: app.requests, "the request")
        command.interrupt()
        await app.hung_up.wait()
        assert await outcome(command) == (130, "", "")


async def test_quit_waits_until_the_app_is_gone(tmp_path: Path, app: ToyApp) -> None:
    app.answers["QuitRequest"] = [Reply(ok=True)]
    assert await run(tmp_path, "quit") == (0, "", "")
    assert not control.is_running()


async def test_a_changed_setting_is_taken_up_by_the_app(tmp_path: Path, app: ToyApp) -> None:
    app.answers["ReloadRequest"] = [Reply(ok=True)]
    assert await run(tmp_path, "settings", "expires_s", "10m") == (0, "", "")
    assert app.requests == [control.ReloadRequest()]
    assert settings.load(tmp_path / "config" / "settings.toml").expires_s == 600
    assert await run(tmp_path, "settings", "expires_s") == (0, "600\n", "")
    await run(tmp_path, "settings", "expires_s", "--unset")
    assert await run(tmp_path, "settings", "expires_s") == (0, "0\n", "")


async def test_settings_without_a_key_open_the_dialog(tmp_path: Path, app: ToyApp) -> None:
    app.answers["ShowRequest"] = [Reply(ok=True)]
    assert await run(tmp_path, "settings") == (0, "", "")
    assert app.requests == [control.ShowRequest("settings")]


async def test_settings_need_no_app(tmp_path: Path) -> None:
    assert await run(tmp_path, "settings", "max_views", "3") == (0, "", "")
    assert await run(tmp_path, "settings", "--path") == (0, f"{tmp_path}/config/settings.toml\n", "")
    _, output, _ = await run(tmp_path, "settings", "--list")
    assert "max_views = 3\n    After how many complete views" in output
    code, _, errors = await run(tmp_path, "settings", "max_view", "3")
    assert (code, errors) == (1, "seedshot: There is no setting called max_view. Did you mean max_views?\n")


async def test_a_password_is_read_from_standard_input_and_not_shown(tmp_path: Path) -> None:
    assert (await run(tmp_path, "settings", "turn_password", "-", stdin=b"s3cret\n"))[0] == 0
    assert settings.load(tmp_path / "config" / "settings.toml").turn_password == "s3cret"
    for arguments in (["turn_password"], ["--list"], ["--list", "--json"]):
        assert "s3cret" not in (await run(tmp_path, "settings", *arguments))[1]


async def test_a_hotkey_is_written_in_its_one_form(tmp_path: Path) -> None:
    assert await run(tmp_path, "settings", "hotkey", "shift+ctrl+s") == (0, "", "")
    assert await run(tmp_path, "settings", "hotkey") == (0, "Ctrl+Shift+S\n", "")
    code, _, errors = await run(tmp_path, "settings", "hotkey", "ctrl+nokey")
    assert code == 1
    assert errors.startswith("seedshot: ")


async def test_what_asks_the_app_is_light(tmp_path: Path, app: ToyApp) -> None:
    """Neither Qt nor the engine is loaded to print a list: it answers at once."""
    code = "import sys; from seedshot_desktop import cli; cli.main(['list']); print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    loaded = set(output.decode().splitlines()[-1].split())
    assert "seedshot_desktop.commands.remote" in loaded
    heavy = {"PySide6", "aiortc", "websockets", "cryptography", "asyncio", "mss", "PIL", "uvloop", "segno"}
    assert not heavy & {name.partition(".")[0] for name in loaded}
