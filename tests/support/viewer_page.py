"""What a person sees of a share on the viewer's page, asked of a real browser."""

from __future__ import annotations

import base64

from PIL import Image

from tests.support.browsers import Tab

PHASE = "document.body.dataset.phase"
_PIXELS = """(() => {
  const image = document.querySelector('#stage img');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
  return { width: canvas.width, height: canvas.height, data: btoa(text) };
})()"""
_OPENS_AGAIN = """new Promise((resolve) => {
  const image = new Image();
  image.crossOrigin = "anonymous"; // not the copy that Firefox keeps of every picture it has decoded for a document
  image.onload = () => resolve(true);
  image.onerror = () => resolve(false);
  image.src = ADDRESS;
})"""


async def picture_on(tab: Tab, deadline_s: float = 15.0) -> Image.Image:
    """The pixels of the picture that the page shows, as soon as it shows one."""
    await tab.wait_for(f"{PHASE} === 'picture' && document.querySelector('#stage img') !== null", deadline_s)
    found = await tab.evaluate(_PIXELS)
    return Image.frombytes("RGBA", (found["width"], found["height"]), base64.b64decode(found["data"])).convert("RGB")


async def picture_url(tab: Tab) -> str:
    """The object URL of the shown picture."""
    return str(await tab.evaluate("document.querySelector('#stage img').src"))


async def says(tab: Tab, title: str, deadline_s: float = 15.0) -> None:
    """Wait until the message in the middle of the page has this title."""
    quoted = base64.b64encode(title.encode()).decode()
    decoded = f"new TextDecoder().decode(Uint8Array.from(atob('{quoted}'), c => c.charCodeAt(0)))"
    await tab.wait_for(
        f"document.getElementById('title').textContent === {decoded} && !document.getElementById('message').hidden",
        deadline_s,
    )


async def is_emptied(tab: Tab, url: str) -> None:
    """Assert that nothing of the picture is left on the page: no element, no pixel, no object URL."""
    assert await tab.evaluate("document.querySelectorAll('#stage *, img').length") == 0, "the picture is still there"
    opens = _OPENS_AGAIN.replace("ADDRESS", repr(url))
    assert not await tab.evaluate(opens), "the picture's object URL still opens"
