"""Lossless pictures for the browser: PNG or WebP, whichever is smaller within a time budget.

Only pixels are written: no text, no EXIF, no colour profile, no alpha channel.

Pillow alone does it. A vectorised filter with a SIMD deflate would be quicker than
its PNG, with two more dependencies and larger files, and on pictures of user
interfaces lossless WebP is about a third of either. The link is on the clipboard
before any of this begins, so bytes count for more than 100 ms.
"""

from __future__ import annotations

import io
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PIL import Image

from seedshot_desktop.capture.frame import Frame
from seedshot_desktop.errors import CaptureError

BUDGET_S = 0.3
_CAUTION = 0.66
"""An encoder is started if its estimate fits into this part of the budget: a big picture takes up to half longer
than its sample says, for it leaves the processor's caches."""
_WEBP_LIMIT = 16383
"""Pixels a side, by the format."""
_TILE = 96
_TILES = (4, 3)
"""The sample that tells how long a picture will take: this many tiles across and down, evenly spread."""


@dataclass(frozen=True)
class EncodedPicture:
    """One picture, ready to be served."""

    data: bytes = field(repr=False)
    media_type: str
    """``image/png`` or ``image/webp``."""
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class _Encoder:
    """One way to write the pixels."""

    media_type: str
    options: dict[str, Any]

    def __call__(self, image: Image.Image) -> bytes:
        """Pillow lets go of the interpreter while it works; it keeps the options in `image`, so never share one."""
        buffer = io.BytesIO()
        image.save(buffer, **self.options)
        return buffer.getvalue()


_Encode = TypeVar("_Encode", bound=Callable[[Image.Image], bytes])


def _webp(method: int, quality: int) -> _Encoder:
    return _Encoder("image/webp", {"format": "WEBP", "lossless": True, "method": method, "quality": quality})


def _png(level: int) -> _Encoder:
    return _Encoder("image/png", {"format": "PNG", "compress_level": level})


_WEBP_SMALL, _WEBP, _WEBP_PHOTO = _webp(4, 75), _webp(1, 0), _webp(0, 0)
"""The last is the quickest with photographs, and only with them."""
_PNG_SMALL, _PNG = _png(6), _png(1)
_WEBP_SMALL_TIMES = 3.5
_PNG_SMALL_TIMES = 1.6
"""How much longer the small ones take than the plain ones; measured, 2 to 5 and 1.1 to 1.6."""

_places = threading.BoundedSemaphore(4)
"""Two for this picture, two for encoders of the one before that took longer than their estimates."""


def encode_picture(picture: Frame | Image.Image, budget_s: float = BUDGET_S) -> EncodedPicture:
    """The smaller of PNG and lossless WebP that `budget_s` allows; pixel-exact, an alpha channel is dropped.

    Waits for about `budget_s` at most, and for the quickest encoder however long
    that takes where none can keep it. Call it in a thread. Raises CaptureError
    where the picture is empty or cannot be held in memory.
    """
    deadline = time.monotonic() + budget_s
    image = _pixels_only(picture)
    if not image.width or not image.height:
        raise CaptureError("The picture is empty. Choose a region again.")
    try:
        chosen = _choose(image, budget_s)
        encoder, data = _race(image, chosen, deadline)
    except (MemoryError, OSError, ValueError) as error:
        raise CaptureError(f"The picture cannot be encoded ({error}). Choose a smaller region.") from error
    return EncodedPicture(data, encoder.media_type, image.width, image.height)


def thumbnail(picture: Frame | Image.Image, box: tuple[int, int]) -> bytes:
    """A PNG that fits into `box` (width, height) and keeps the picture's shape; never enlarged."""
    image = _pixels_only(picture)
    image.thumbnail((max(1, box[0]), max(1, box[1])), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _png(6)(image)


def _pixels_only(picture: Frame | Image.Image) -> Image.Image:
    """A copy in mode RGB that knows nothing but its pixels."""
    image = picture.image() if isinstance(picture, Frame) else picture.convert("RGB")
    image.info = {}
    return image


def _race(image: Image.Image, encoders: Sequence[_Encode], deadline: float) -> tuple[_Encode, bytes]:
    """Run all; the smallest of what is there at the deadline, or else the first. Late ones are abandoned.

    Raises what an encoder raised when none has succeeded.
    """
    images = [image, *(image.copy() for _ in encoders[1:])]
    running = {_start(encoder, own): encoder for encoder, own in zip(encoders, images, strict=True)}
    done, late = wait(running, timeout=max(0.0, deadline - time.monotonic()))
    while late and not any(future.exception() is None for future in done):
        more, late = wait(late, return_when=FIRST_COMPLETED)
        done |= more
    good = [future for future in done if future.exception() is None] or list(done)
    best = min(good, key=lambda future: len(future.result()))
    return running[best], best.result()


def _start(encoder: Callable[[Image.Image], bytes], image: Image.Image) -> Future[bytes]:
    """Encode in a thread that ends by itself; a daemon, so that quitting waits for nobody's picture."""
    future: Future[bytes] = Future()
    _places.acquire()

    def work() -> None:
        try:
            future.set_result(encoder(image))
        except BaseException as error:
            future.set_exception(error)
        finally:
            _places.release()

    threading.Thread(target=work, name="encode", daemon=True).start()
    return future


def _choose(image: Image.Image, budget_s: float) -> list[_Encoder]:
    """Of each format the smallest that should keep the budget; if none should, the quickest of all."""
    limit_s = budget_s * _CAUTION
    sample = _sample(image)
    factor = image.width * image.height / (sample.width * sample.height)
    estimates = {_PNG: _time(_PNG, sample) * factor}
    estimates[_PNG_SMALL] = estimates[_PNG] * _PNG_SMALL_TIMES
    if max(image.size) <= _WEBP_LIMIT:
        estimates[_WEBP] = _time(_WEBP, sample) * factor
        estimates[_WEBP_SMALL] = estimates[_WEBP] * _WEBP_SMALL_TIMES
        if estimates[_WEBP] > limit_s:
            estimates[_WEBP_PHOTO] = _time(_WEBP_PHOTO, sample) * factor
    chosen = []
    for family in ((_WEBP_SMALL, _WEBP, _WEBP_PHOTO), (_PNG_SMALL, _PNG)):
        chosen += [encoder for encoder in family if estimates.get(encoder, math.inf) <= limit_s][:1]
    return chosen or [min(estimates, key=estimates.__getitem__)]


def _time(encoder: _Encoder, sample: Image.Image) -> float:
    started = time.perf_counter()
    encoder(sample)
    return time.perf_counter() - started


def _sample(image: Image.Image) -> Image.Image:
    """Tiles of the picture side by side, about a hundred thousand pixels; the picture itself where it is that small."""
    across, down = _TILES
    if image.width < across * _TILE or image.height < down * _TILE:
        return image
    sample = Image.new("RGB", (across * _TILE, down * _TILE))
    for column in range(across):
        for row in range(down):
            x, y = (image.width - _TILE) * column // (across - 1), (image.height - _TILE) * row // (down - 1)
            sample.paste(image.crop((x, y, x + _TILE, y + _TILE)), (column * _TILE, row * _TILE))
    return sample
