"""The page under the hand, in Chromium: zoom to the pixel, save, copy, keys, any window, what a browser withholds."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page

from signal_server.server import ServerConfig, SignalServer
from tests.support.chromium import Chromium, ChromiumTab
from tests.support.scripted_owner import ScriptedOwner, Visit, scripted_owner
from tests.support.viewer_page import PHASE, picture_on, says
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH, HEIGHT = 900, 700
NOISE = Image.frombytes("RGB", (WIDTH, HEIGHT), os.urandom(WIDTH * HEIGHT * 3))


def encoded(image: Image.Image, kind: str) -> bytes:
    """`image` without loss as PNG or WEBP."""
    target = io.BytesIO()
    image.save(target, kind, lossless=True, method=0)
    return target.getvalue()


PNG = encoded(NOISE, "PNG")
WEBP = encoded(NOISE, "WEBP")


@asynccontextmanager
async def opened(
    chromium: Chromium, script: str = "", **options: Any
) -> AsyncIterator[tuple[ScriptedOwner, ChromiumTab]]:
    """An owner, and a tab with `options` that shows its link and runs `script` first; its console must stay clean."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SignalServer(ServerConfig(host="127.0.0.1")))
        owner = await stack.enter_async_context(scripted_owner(f"http://127.0.0.1:{server.address[1]}"))
        tab = await chromium.tab(**options)
        stack.push_async_callback(tab.close)
        if script:
            await tab.page.add_init_script(script)
        await tab.go(owner.link)
        yield owner, tab
        assert tab.problems == []


@asynccontextmanager
async def shown(
    chromium: Chromium, data: bytes = PNG, name: str = "Screenshot.png", script: str = "", **options: Any
) -> AsyncIterator[Page]:
    """The page with a picture on it."""
    async with opened(chromium, script, **options) as (owner, tab):
        visit = await owner.visit()
        visit.offer_files((name, len(data), "image/png"))
        await visit.send(await visit.hear("get"), data)
        await picture_on(tab)
        yield tab.page


async def stage_pixels(page: Page) -> Image.Image:
    """What the stage shows, pixel by pixel of the screen."""
    box = await page.evaluate("document.getElementById('stage').getBoundingClientRect().toJSON()")
    seen = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    return seen.crop((0, math.ceil(box["top"]), seen.width, math.floor(box["bottom"])))


async def percent(page: Page) -> str:
    """What the zoom button says."""
    return await page.locator("#percent").inner_text()


async def is_at(page: Page, zoom: str) -> bool:
    """Whether the zoom button says so."""
    return await percent(page) == zoom


# Zoom


@pytest.mark.parametrize(("ratio", "width"), [(1, 1200), (1, 1733), (1.25, 1200), (1.5, 1200), (2, 1111)])
async def test_at_100_percent_the_pixels_are_the_owners(chromium: Chromium, ratio: float, width: int) -> None:
    viewport = {"width": width, "height": 911}
    async with shown(chromium, viewport=viewport, device_scale_factor=ratio) as page:
        await page.keyboard.press("1")
        assert await percent(page) == "100 %"
        seen = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
        box = await page.evaluate("document.querySelector('#stage img').getBoundingClientRect().toJSON()")
        left, top = round(box["left"] * ratio), round(box["top"] * ratio)
        assert seen.crop((left, top, left + WIDTH, top + HEIGHT)).tobytes() == NOISE.tobytes()


async def test_zoom_by_keys_buttons_wheel_and_double_click(chromium: Chromium) -> None:
    async with shown(chromium, viewport={"width": 600, "height": 500}) as page:
        fitted = await percent(page)
        assert int(fitted.split()[0]) < 100
        assert await page.locator("#smaller").is_disabled()
        await page.keyboard.press("+")
        larger = await percent(page)
        assert int(larger.split()[0]) > int(fitted.split()[0])
        await page.keyboard.press("-")
        assert await percent(page) == fitted
        await page.locator("#larger").click()
        assert await percent(page) == larger
        await page.keyboard.press("0")
        assert await percent(page) == fitted
        await page.locator("#percent").click()
        assert await percent(page) == "100 %"
        await page.locator("#percent").click()
        assert await percent(page) == fitted
        await page.locator("#stage").dblclick()
        assert await percent(page) == "100 %"
        await page.mouse.wheel(0, -100)
        assert int((await percent(page)).split()[0]) > 100
        await page.keyboard.press("1")
        assert await percent(page) == "100 %"


async def test_a_drag_and_the_arrows_move_it_and_never_past_its_edge(chromium: Chromium) -> None:
    async with shown(chromium, viewport={"width": 500, "height": 400}) as page:
        await page.keyboard.press("1")
        before = await stage_pixels(page)
        await page.mouse.move(250, 250)
        await page.mouse.down()
        await page.mouse.move(220, 240)
        await page.mouse.up()
        after = await stage_pixels(page)
        assert after.crop((0, 0, 400, 200)).tobytes() == before.crop((30, 10, 430, 210)).tobytes()
        for _ in range(30):
            await page.keyboard.press("ArrowLeft")
            await page.keyboard.press("ArrowUp")
        corner = await stage_pixels(page)
        inside = (10, 10, corner.width - 10, 200)  # without the ring around what has the focus
        assert corner.crop(inside).tobytes() == NOISE.crop(inside).tobytes()


async def test_two_fingers_pinch(chromium: Chromium) -> None:
    options: dict[str, Any] = {"viewport": {"width": 400, "height": 700}, "has_touch": True, "is_mobile": True}
    async with shown(chromium, **options) as page:
        before = int((await percent(page)).split()[0])
        touch = await page.context.new_cdp_session(page)
        for kind, spread in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80), ("touchEnd", 0)):
            points = [{"x": 200 - spread, "y": 350, "id": 0}, {"x": 200 + spread, "y": 350, "id": 1}] if spread else []
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        after = int((await percent(page)).split()[0])
        assert after == pytest.approx(before * 4, abs=6)


async def test_a_resized_window_shows_the_whole_picture_again(chromium: Chromium) -> None:
    async with shown(chromium, viewport={"width": 1200, "height": 900}) as page:
        assert await percent(page) == "100 %"
        await page.set_viewport_size({"width": 450, "height": 500})
        await until(lambda: is_at(page, "50 %"), "the whole picture")


# Save and copy


async def test_saved_as_it_came_and_as_png(chromium: Chromium, tmp_path: Path) -> None:
    async with shown(chromium, WEBP, "Bildschirm\u202e 1/2.webp") as page:
        async with page.expect_download() as plain:
            await page.keyboard.press("Control+s")
        download = await plain.value
        await download.save_as(tmp_path / "plain")
        assert (tmp_path / "plain").read_bytes() == WEBP
        assert download.suggested_filename == "Bildschirm 1_2.webp"
        async with page.expect_download() as converted:
            await page.locator("#save-png").click()
        download = await converted.value
        await download.save_as(tmp_path / "converted")
        assert download.suggested_filename == "Bildschirm 1_2.png"
        image = Image.open(tmp_path / "converted")
        assert image.format == "PNG"
        assert image.convert("RGB").tobytes() == NOISE.tobytes()


async def test_a_png_is_not_offered_as_png_twice(chromium: Chromium) -> None:
    async with shown(chromium) as page:
        assert await page.locator("#save-png").is_hidden()


@pytest.mark.parametrize("data", [PNG, WEBP], ids=["PNG", "WebP"])
async def test_copied_to_the_clipboard(chromium: Chromium, data: bytes) -> None:
    async with shown(chromium, data, permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.locator("#copy").click()
        await until(lambda: page.locator("#toast").inner_text(), "a word about it")
        assert await page.locator("#toast").inner_text() == "Copied"
        text = await page.evaluate("""async () => {
            const [item] = await navigator.clipboard.read();
            const bytes = new Uint8Array(await (await item.getType('image/png')).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
        }""")
        copied = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
        assert copied.tobytes() == NOISE.tobytes()


async def test_where_pages_may_not_copy_it_says_how_to(chromium: Chromium) -> None:
    script = "Object.defineProperty(window, 'isSecureContext', { value: false })"
    async with shown(chromium, script=script) as page:
        assert await page.locator("#copy").inner_text() == "Copy…"
        await page.locator("#copy").click()
        assert "Right-click the picture" in await page.locator("#toast").inner_text()


async def test_files_are_saved_one_after_the_other(chromium: Chromium, tmp_path: Path) -> None:
    files = {"a.html": b"<script>document.title='run'</script>", "empty.txt": b"", "b.bin": os.urandom(200_000)}
    async with opened(chromium) as (owner, tab):
        visit = await owner.visit()
        visit.offer_files(*((name, len(data), "text/html") for name, data in files.items()))
        for name, data in files.items():
            async with tab.page.expect_download() as saved:
                await tab.page.get_by_role("button", name=f"Save {name}").click()
                await visit.send(await visit.hear("get"), data)
            download = await saved.value
            await download.save_as(tmp_path / name)
            assert download.suggested_filename == name
            assert (tmp_path / name).read_bytes() == data


async def test_a_cancelled_file_can_be_had_again(chromium: Chromium) -> None:
    async with opened(chromium) as (owner, tab):
        visit = await owner.visit()
        visit.offer_files(("a.bin", 1000, "application/octet-stream"))
        await tab.page.get_by_role("button", name="Save a.bin").click()
        await visit.send(await visit.hear("get"), bytes(1000), until_byte=500)
        await tab.page.get_by_role("button", name="Cancel a.bin").click()
        await visit.hear("stop")
        await tab.page.get_by_role("button", name="Save a.bin").click()
        assert (await visit.hear("get"))["offset"] == 0


# What a browser withholds


async def test_a_browser_without_webrtc(chromium: Chromium) -> None:
    async with opened(chromium, "delete window.RTCPeerConnection") as (owner, tab):
        await says(tab, "This browser cannot receive it")
        assert owner.visits == []


async def test_a_browser_that_forbids_webrtc(chromium: Chromium) -> None:
    script = "window.RTCPeerConnection = class { constructor() { throw new DOMException('forbidden'); } }"
    async with opened(chromium, script) as (_, tab):
        await says(tab, "Direct connections are blocked here")
        assert await tab.page.get_by_role("button", name="Try again").is_visible()


async def test_a_picture_that_the_browser_cannot_draw_is_a_file(chromium: Chromium) -> None:
    data = PNG[:3000]
    async with opened(chromium) as (owner, tab):
        visit = await owner.visit()
        visit.offer_files(("half.png", len(data), "image/png"))
        await visit.send(await visit.hear("get"), data[:40] + bytes(len(data) - 40))
        await tab.wait_for(f"{PHASE} === 'files'")
        assert await tab.page.get_by_role("button", name="Save half.png").is_visible()
        assert await tab.page.get_by_role("button", name="Show half.png").is_hidden()


# Everybody


async def test_keys_reach_everything_in_the_order_of_reading(chromium: Chromium) -> None:
    async with shown(chromium, WEBP, "a.webp", viewport={"width": 700, "height": 500}) as page:
        await page.keyboard.press("1")
        seen = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            seen.append(await page.evaluate("document.activeElement.id"))
        assert seen == ["smaller", "percent", "larger", "copy", "save-png", "save", "stage"]


async def test_a_screen_reader_hears_each_state_once(chromium: Chromium) -> None:
    async with opened(chromium) as (owner, tab):
        visit: Visit = await owner.visit()
        heard = tab.page.locator("#announcer")
        visit.offer_files(("a.png", len(PNG), "image/png"))
        get = await visit.hear("get")
        await visit.send(get, PNG, until_byte=1000)
        await tab.wait_for("document.getElementById('announcer').textContent === 'Receiving the picture.'")
        meter = tab.page.get_by_role("progressbar", name="Received")
        assert await meter.get_attribute("aria-valuemax") == "100"
        await visit.send({**get, "offset": 1000}, PNG)
        await picture_on(tab)
        assert (await heard.inner_text()).startswith("The picture is here.")
        assert await tab.page.locator("#stage img").get_attribute("alt") == "a.png"


NARROW = {"a phone of 320 px": (320, 480, 1), "a small window at 200 %": (640, 400, 2), "4K": (3840, 2160, 1)}


@pytest.mark.parametrize("size", NARROW)
async def test_nothing_is_cut_off(chromium: Chromium, size: str) -> None:
    width, height, ratio = NARROW[size]
    options: dict[str, Any] = {"viewport": {"width": width, "height": height}, "device_scale_factor": ratio}
    async with shown(chromium, WEBP, "A rather long name of a picture.webp", **options) as page:
        outside = await page.evaluate("""[...document.querySelectorAll('button, h1, p, #stage')].filter((element) => {
            const box = element.getBoundingClientRect();
            const shown = box.width > 0 && !element.hidden && !element.classList.contains('unseen');
            return shown && (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight);
        }).map((element) => element.id)""")
        assert [name for name in outside if name != "toast"] == []
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(chromium: Chromium, scheme: Any) -> None:
    async with shown(chromium, color_scheme=scheme) as page:
        contrasts = await page.evaluate("""() => {
            const light = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
                const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
                return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
            };
            const style = (id) => getComputedStyle(document.getElementById(id));
            const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            const bar = light(style('bar').backgroundColor);
            const save = style('save');
            return [ratio(light(style('name').color), bar), ratio(light(style('presence').color), bar),
                ratio(light(save.color), light(save.backgroundColor))];
        }""")
        assert min(contrasts) >= 4.5, contrasts
