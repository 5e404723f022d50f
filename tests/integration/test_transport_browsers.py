"""The peer connection to a real Chromium."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import time
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, async_playwright

from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState
from tests.support.answers import SECRET, with_password
from tests.support.rtc_viewer import Owner, make_certificate

ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

VIEWER = """
window.viewer = {control: [], bytes: [], closed: false};
const pc = new RTCPeerConnection();
const control = pc.createDataChannel('control', {negotiated: true, id: 0, ordered: true});
const data = pc.createDataChannel('data', {negotiated: true, id: 1, ordered: true});
data.binaryType = 'arraybuffer';
control.onmessage = event => viewer.control.push(event.data);
control.onclose = () => { viewer.closed = true; };
data.onmessage = event => viewer.bytes.push(new Uint8Array(event.data));
viewer.opened = new Promise(resolve => { control.onopen = resolve; });
viewer.offer = async () => { await pc.setLocalDescription(); return pc.localDescription.sdp; };
viewer.accept = sdp => pc.setRemoteDescription({type: 'answer', sdp});
viewer.say = text => control.send(text);
viewer.close = () => pc.close();
viewer.total = () => viewer.bytes.reduce((sum, part) => sum + part.length, 0);
viewer.content = () => viewer.bytes.map(part => btoa(Array.from(part, byte => String.fromCharCode(byte)).join('')));
null;
"""


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    executable = shutil.which("chromium")
    assert executable is not None, "install chromium to run these tests"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        tab = await browser.new_page()
        await tab.goto("about:blank")
        await tab.evaluate(VIEWER)
        yield tab
        await browser.close()


async def _open(page: Page) -> tuple[Peer, Owner]:
    owner = Owner()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    offer = await page.evaluate("viewer.offer()")
    await page.evaluate("sdp => viewer.accept(sdp)", with_password(await peer.answer(offer), offer))
    await owner.reached(PeerState.OPEN)
    return peer, owner


async def test_chromium_receives_what_was_sent(page: Page) -> None:
    peer, owner = await _open(page)
    parts = [os.urandom(size) for size in (1, 1160, 1161, 65535, 65536, 65536)]
    for part in parts:
        peer.send_data(part)
    peer.send_control("manifest, äöü")
    await page.evaluate("viewer.opened.then(() => viewer.say('hello, äöü'))")
    async with asyncio.timeout(10):
        assert await owner.control.get() == "hello, äöü"
    total = sum(map(len, parts))
    await page.wait_for_function("total => viewer.total() === total && viewer.control.length === 1", arg=total)
    assert await page.evaluate("viewer.control") == ["manifest, äöü"]
    assert [base64.b64decode(part) for part in await page.evaluate("viewer.content()")] == parts
    assert peer.path == "direct"
    await peer.close()


async def test_chromium_opens_without_waiting_for_its_hidden_addresses(page: Page) -> None:
    offer = await page.evaluate("viewer.offer().then(() => new Promise(r => setTimeout(r, 200))).then(viewer.offer)")
    assert ".local" in offer
    started = time.perf_counter()
    peer, _ = await _open(page)
    assert time.perf_counter() - started < 0.9, "a hidden name was waited for"
    await peer.close()


async def test_chromium_sees_the_end_at_once(page: Page) -> None:
    peer, _ = await _open(page)
    await page.evaluate("viewer.opened.then(() => null)")
    peer.send_control("ended")
    await peer.close(flush=True)
    await page.wait_for_function("viewer.closed", timeout=3000)
    assert await page.evaluate("viewer.control") == ["ended"]


async def test_chromium_closing_its_connection_is_noticed_at_once(page: Page) -> None:
    _, owner = await _open(page)
    await page.evaluate("viewer.close()")
    assert await owner.reached(PeerState.CLOSED, 3) == "the viewer closed the connection"
