"""The system's Firefox, driven by WebDriver BiDi (W3C) over a WebSocket: the few commands that the tests need."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.browsers import Browser, Tab
from tests.support.programs import Program, find
from tests.support.waiting import until, within

_DOWNLOADED = "browsingContext.downloadEnd"
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_START_S = 30.0
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.download.alwaysOpenPanel": False,
    "browser.download.folderList": 2,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.topsites.contile.enabled": False,
    "captivedetect.canonicalURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.security.https_first": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "services.settings.server": "http://localhost:1",
    "toolkit.telemetry.enabled": False,
}


class BidiError(AssertionError):
    """Firefox refused a command, or a script threw."""


class _Session:
    """Commands out, results in, by number; of the events only the log and the downloads are subscribed to."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []

    async def read(self) -> None:
        """Hand out what comes until the socket closes."""
        try:
            async for text in self._socket:
                message = json.loads(text)
                if message.get("type") == "event":
                    self.events.append(message)
                elif (future := self._waiting.pop(message.get("id"), None)) and not future.done():
                    future.set_result(message)
        except ConnectionClosed:
            pass  # Firefox was ended: whoever waits is told below
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(BidiError("Firefox has ended"))

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of one command; raises BidiError."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        reply = await within(future, f"Firefox' answer to {method}", 30.0)
        if reply.get("type") != "success":
            raise BidiError(f"{method}: {reply.get('error')}: {reply.get('message')}")
        result: dict[str, Any] = reply["result"]
        return result


class FirefoxTab(Tab):
    """One tab in a user context of its own."""

    def __init__(self, session: _Session, user_context: str, context: str) -> None:
        self._session = session
        self._user_context = user_context
        self._context = context

    @property
    def problems(self) -> list[str]:
        """What the page threw or logged as an error."""
        entries = [event["params"] for event in self._session.events if event["method"] == "log.entryAdded"]
        return [
            str(entry["text"])
            for entry in entries
            if entry["level"] == "error" and entry["source"].get("context") == self._context
        ]

    async def go(self, url: str) -> None:
        """Open `url`."""
        await self._session.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def prepare(self, script: str) -> None:
        """Run `script` before the scripts of every page."""
        function = f"() => {{ {script} }}"
        await self._session.send("script.addPreloadScript", functionDeclaration=function, contexts=[self._context])

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = await self._session.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        if result["type"] != "success":
            raise BidiError(f"{expression}: {result['exceptionDetails']['text']}")
        text = result["result"].get("value")
        return None if text is None else json.loads(text)

    async def saved_by(self, expression: str, deadline_s: float = 30.0) -> tuple[str, bytes]:
        """What the browser saves when `expression` is evaluated."""
        before = len(self._saved())
        await self.evaluate(expression)
        new = await until(lambda: self._saved()[before:], "a saved file", deadline_s)
        assert new[0]["status"] == "complete", new[0]["status"]
        path = Path(new[0]["filepath"])
        return path.name, await asyncio.to_thread(path.read_bytes)

    def _saved(self) -> list[dict[str, Any]]:
        """The downloads of this tab that have ended; until then a file goes by names of the browser's own."""
        ended = [event["params"] for event in self._session.events if event["method"] == _DOWNLOADED]
        return [params for params in ended if params["context"] == self._context]

    async def screenshot(self) -> bytes:
        """What the window shows, PNG."""
        result = await self._session.send("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(result["data"])

    async def resize(self, width: int, height: int, ratio: float = 1.0) -> None:
        """Another size of the window, in CSS pixels, and of its pixels."""
        viewport = {"width": width, "height": height}
        await self._session.send(
            "browsingContext.setViewport", context=self._context, viewport=viewport, devicePixelRatio=ratio
        )

    async def close(self) -> None:
        """Close the tab, then its context."""
        await self._session.send("browsingContext.close", context=self._context)
        await self._session.send("browser.removeUserContext", userContext=self._user_context)


class Firefox(Browser):
    """A running Firefox; made by `open_firefox`."""

    name = calls_itself = "Firefox"

    def __init__(self, session: _Session) -> None:
        self._session = session

    async def tab(self) -> FirefoxTab:
        """A blank tab in a user context of its own."""
        user_context = (await self._session.send("browser.createUserContext"))["userContext"]
        created = await self._session.send("browsingContext.create", type="tab", userContext=user_context)
        return FirefoxTab(self._session, user_context, created["context"])


@asynccontextmanager
async def open_firefox(executable: str | None = None, arguments: Sequence[str] = ()) -> AsyncIterator[Firefox]:
    """A Firefox of its own; `executable` may wrap it, to put it into a network namespace."""
    folder = Path(tempfile.mkdtemp(prefix="seedshot-firefox-"))
    program = _start(folder, executable or find("firefox-esr", "firefox"), arguments)
    try:
        address = await until(lambda: _LISTENING.search(program.output()), "Firefox' remote agent", _START_S)
        async with connect(f"{address[1]}/session", max_size=None, compression=None) as socket:
            session = _Session(socket)
            reader = asyncio.create_task(session.read(), name="firefox reader")
            try:
                await session.send("session.new", capabilities={})
                await session.send("session.subscribe", events=["log.entryAdded", _DOWNLOADED])
                yield Firefox(session)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
    finally:
        await asyncio.to_thread(program.end)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, executable: str, arguments: Sequence[str]) -> Program:
    profile = folder / "profile"
    profile.mkdir()
    (folder / "downloads").mkdir()
    preferences = {**_PREFERENCES, "browser.download.dir": str(folder / "downloads")}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    env = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    env |= {"HOME": str(folder), "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1", "TMPDIR": str(folder)}
    command = [executable, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    return Program([*command, *arguments], env)
