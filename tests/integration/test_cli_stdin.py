"""``seedshot share -``: what comes through a pipe is shared from memory, and its link is there before it."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import LOCAL, seedshot
from tests.support.viewer import Viewer


async def test_standard_input_is_shared_from_memory(tmp_path: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", "-", "--name", "notes.txt", stdin=True) as command:
        shared = await command.shared()
        assert shared["files"] is None, "the link is there before the input is"
        async with Viewer(shared["link"]) as viewer:
            await command.event("viewer_joined")
            await command.feed(b"from a pipe")
            manifest = await viewer.files()
            assert [(file.name, file.size) for file in manifest.files] == [("notes.txt", 11)]
            assert viewer.waited
            assert await viewer.fetch() == b"from a pipe"
        await command.event("viewer_left")
        provided = next(item for item in command.seen if item["event"] == "provided")
        assert provided["files"] == [{"name": "notes.txt", "size": 11}]


async def test_empty_standard_input_is_an_error(tmp_path: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", "-", stdin=True) as command:
        await command.event("shared")
        await command.feed(b"")
        assert "empty" in (await command.event("error"))["problem"]
        assert await command.ended() == 1


async def test_waiting_for_standard_input_can_be_interrupted(tmp_path: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", "-", stdin=True) as command:
        await command.event("reachable")
        command.interrupt()
        assert await command.ended() == 0
        assert await command.errors() == ""
