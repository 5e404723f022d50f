"""Every state of the viewer's page in Chromium, light and dark, on a desktop, a phone, and at 200 %."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from signal_server.server import ServerConfig, SignalServer
from tests.support.browsers import Tab
from tests.support.chromium import Chromium, open_chromium
from tests.support.scripted_owner import ScriptedOwner, Visit
from tests.support.viewer_page import PHASE, says

_DESKTOP = {"width": 1280, "height": 800}
_PHONE = {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop-light": {"viewport": _DESKTOP, "color_scheme": "light"},
    "desktop-dark": {"viewport": _DESKTOP, "color_scheme": "dark"},
    "phone-light": {"viewport": _PHONE, "color_scheme": "light", "device_scale_factor": 2, "is_mobile": True},
    "phone-dark": {"viewport": _PHONE, "color_scheme": "dark", "device_scale_factor": 2, "is_mobile": True},
    "desktop-light-2x": {"viewport": {"width": 640, "height": 400}, "color_scheme": "light", "device_scale_factor": 2},
}
_FADED_IN = """document.getAnimations().forEach((animation) => {
  if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
})"""
_NO_WEBRTC = "delete window.RTCPeerConnection"


@dataclass
class Stage:
    """One owner and the tab that has opened the link."""

    owner: ScriptedOwner
    tab: Tab

    async def visit(self) -> Visit:
        """The viewer, whom the owner has let in."""
        return await self.owner.visit()


async def draw_page(folder: Path) -> None:
    """Each state in each look."""
    async with open_chromium() as chromium, SignalServer(ServerConfig(host="127.0.0.1")) as server:
        base_url = f"http://127.0.0.1:{server.address[1]}"
        for look, options in LOOKS.items():
            for name, story in STORIES.items():
                async with _stage(chromium, base_url, options, name) as stage:
                    await story(stage)
                    await stage.tab.evaluate(_FADED_IN)
                    (folder / f"page-{name}-{look}.png").write_bytes(await stage.tab.screenshot())


@asynccontextmanager
async def _stage(chromium: Chromium, base_url: str, options: dict[str, Any], name: str) -> AsyncIterator[Stage]:
    owner = ScriptedOwner(base_url)
    if name in ("waiting", "no-owner"):
        owner.come = _nobody  # type: ignore[method-assign]
    if name == "impostor":
        other = ":".join(f"{byte:02X}" for byte in os.urandom(32))
        owner.rewrite = lambda sdp: sdp.replace(owner.certificate.fingerprint, other)
    await owner.come()
    tab = await chromium.tab(**options)
    if name == "unable":
        await tab.page.add_init_script(_NO_WEBRTC)
    await tab.go(owner.link if name != "broken-link" else f"{base_url}/#AQ")
    try:
        yield Stage(owner, tab)
    finally:
        await tab.close()
        await owner.go()


async def _nobody() -> None:
    """The owner stays away."""


async def _connecting(stage: Stage) -> None:
    await stage.visit()
    await stage.tab.wait_for(f"{PHASE} === 'connecting'")


async def _preparing(stage: Stage) -> None:
    (await stage.visit()).say("waiting")
    await says(stage.tab, "Almost there")


async def _waiting(stage: Stage) -> None:
    await says(stage.tab, "Waiting for the owner")


async def _receiving(stage: Stage) -> None:
    data = picture()
    visit = await stage.visit()
    visit.offer_files(("Screenshot 2026-03-04 14.03.11.png", len(data), "image/png"))
    await visit.send(await visit.hear("get"), data, until_byte=len(data) * 2 // 5)
    await stage.tab.wait_for("Number(document.getElementById('meter').getAttribute('aria-valuenow')) >= 39")


async def _picture(stage: Stage) -> None:
    await _shown(stage, picture())


async def _small_picture(stage: Stage) -> None:
    await _shown(stage, picture(220, 120))


async def _tall_picture(stage: Stage) -> None:
    await _shown(stage, picture(700, 3000))


async def _shown(stage: Stage, data: bytes) -> Visit:
    visit = await stage.visit()
    visit.offer_files(("Screenshot 2026-03-04 14.03.11.png", len(data), "image/png"))
    await visit.send(await visit.hear("get"), data)
    await stage.tab.wait_for(f"{PHASE} === 'picture'")
    return visit


async def _picture_owner_gone(stage: Stage) -> None:
    visit = await _shown(stage, picture())
    await stage.owner.leave_server()
    await visit.peer.close()
    await stage.tab.wait_for("document.body.classList.contains('away')")


async def _owner_gone(stage: Stage) -> None:
    visit = await stage.visit()
    await stage.owner.leave_server()
    await visit.peer.close()
    await says(stage.tab, "The owner is not online", 30.0)


async def _files(stage: Stage) -> None:
    (await stage.visit()).offer_files(
        ("Quarterly figures of the northern branch, final version 3 (reviewed).pdf", 48_300_000, "application/pdf"),
        ("photo.jpg", 3_200_000, "image/jpeg"),
        ("a.txt", 12, "text/plain"),
        ("holiday.mov", 1_900_000_000, "video/quicktime"),
    )
    await stage.tab.wait_for("document.querySelectorAll('.file').length === 4")


async def _one_file(stage: Stage) -> None:
    (await stage.visit()).offer_files(("report.pdf", 483_000, "application/pdf"))
    await stage.tab.wait_for("document.querySelectorAll('.file').length === 1")


async def _impostor(stage: Stage) -> None:
    await says(stage.tab, "This is not the owner")


async def _unable(stage: Stage) -> None:
    await says(stage.tab, "This browser cannot receive it")


async def _broken_link(stage: Stage) -> None:
    await says(stage.tab, "This link is not whole")


def _ended(reason: str, title: str) -> Callable[[Stage], Awaitable[None]]:
    async def story(stage: Stage) -> None:
        await (await stage.visit()).end(reason)
        await says(stage.tab, title)

    return story


STORIES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "connecting": _connecting,
    "preparing": _preparing,
    "waiting": _waiting,
    "receiving": _receiving,
    "picture": _picture,
    "picture-small": _small_picture,
    "picture-tall": _tall_picture,
    "picture-owner-gone": _picture_owner_gone,
    "files": _files,
    "file": _one_file,
    "revoked": _ended("revoked", "Taken back by the owner"),
    "expired": _ended("expired", "This link has expired"),
    "full": _ended("full", "Many people are looking right now"),
    "dismissed": _ended("dismissed", "The owner ended your visit"),
    "owner-gone": _owner_gone,
    "unable": _unable,
    "impostor": _impostor,
    "broken-link": _broken_link,
}


def picture(width: int = 1400, height: int = 900) -> bytes:
    """Something like a screenshot, PNG; noise in it, so that it takes its time."""
    image = Image.new("RGB", (width, height), "#f7f8fa")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width, height // 9), fill="#33415c")
    for row in range(2, 12):
        length = width * (3 + row * 5 % 4) // 9
        pen.rectangle((width // 8, row * height // 13, width // 8 + length, row * height // 13 + 12), fill="#8fa3c4")
    noise = Image.frombytes("RGB", (width // 4, height // 4), os.urandom(3 * (width // 4) * (height // 4)))
    image.paste(noise, (width * 5 // 7, height * 5 // 7))
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()
