"""This module draws the demo county's photos: plain scenes of yards, trenches and cables, made here and nobody's picture."""

from __future__ import annotations

import io
import zlib
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 480
_QUALITY: Final = 80
_Ink = tuple[int, int, int]


def draw(name: str) -> bytes:
    """Return the picture of a file name such as ``cables_done-1f….jpg`` as JPEG, the same bytes for the same name.

    Parameters
    ----------
    name : str
        Scene (`SCENES`, ``_done`` for after the work), a hyphen, anything. An unknown scene is a yard.
    """
    scene, _, _ = name.partition("-")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    picture = _ground(rng)
    brush = ImageDraw.Draw(picture)
    SCENES.get(scene.removesuffix("_done"), _yard)(brush, rng, scene.endswith("_done"))
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(0.8)).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _ground(rng: np.random.Generator) -> Image.Image:
    """Sky, a housing block with windows, and a paved yard in the light of some time of day."""
    light = rng.uniform(0.85, 1.1)
    picture = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), _shade((186, 206, 222), light))
    brush = ImageDraw.Draw(picture)
    wall = _shade((203, 184, 160), light * rng.uniform(0.92, 1.05))
    brush.rectangle((0, 60, WIDTH_PX, 290), fill=wall)
    for floor in range(3):
        for x in range(30, WIDTH_PX, 88):
            brush.rectangle((x, 82 + 70 * floor, x + 46, 124 + 70 * floor), fill=_shade((86, 104, 118), light))
    brush.polygon(
        [(0, 290), (WIDTH_PX, 290), (WIDTH_PX, HEIGHT_PX), (0, HEIGHT_PX)], fill=_shade((150, 148, 143), light)
    )
    for k in range(1, 8):
        y = 290 + int(190 * (k / 8) ** 1.6)
        brush.line((0, y, WIDTH_PX, y), fill=_shade((128, 126, 122), light), width=1)
    return picture


def _shade(ink: _Ink, light: float) -> _Ink:
    red, green, blue = (min(255, max(0, int(part * light))) for part in ink)
    return red, green, blue


def _cables(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    if done:
        brush.rectangle((0, 168, WIDTH_PX, 178), fill=(232, 232, 228), outline=(180, 180, 176))
        return
    for _ in range(14):
        ends, sag = rng.integers(70, 200, 2), int(rng.integers(10, 90))
        x = np.linspace(0, WIDTH_PX, 25)
        y = np.interp(x, [0, WIDTH_PX], ends) + sag * np.sin(np.pi * x / WIDTH_PX)
        brush.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=(28, 28, 30), width=int(rng.integers(2, 5)))


def _hut(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    left = int(rng.integers(120, 320))
    if done:
        brush.rectangle((left, 296, left + 210, 330), fill=(96, 140, 84))
        return
    brush.rectangle((left, 190, left + 210, 350), fill=(88, 122, 168), outline=(50, 74, 104), width=3)
    brush.polygon([(left - 16, 190), (left + 226, 190), (left + 196, 158), (left + 12, 158)], fill=(150, 62, 52))
    brush.rectangle((left + 130, 236, left + 180, 350), fill=(72, 62, 54))


def _trench(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    bend = int(rng.integers(-40, 40))
    edge = [(270 + bend, 292), (370 + bend, 292), (470, HEIGHT_PX), (190, HEIGHT_PX)]
    brush.polygon(edge, fill=(118, 118, 116) if done else (92, 66, 44))
    if not done:
        brush.line((316 + bend, 296, 330, HEIGHT_PX), fill=(196, 92, 40), width=26)
        brush.polygon([(480, HEIGHT_PX), (560, 360), (640, 400), (WIDTH_PX, HEIGHT_PX)], fill=(124, 94, 62))


def _puddle(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    x, y = int(rng.integers(120, 300)), int(rng.integers(330, 380))
    if not done:
        brush.ellipse((x, y, x + 270, y + 80), fill=(74, 70, 56), outline=(110, 104, 84), width=4)
    brush.ellipse((x + 90, y + 10, x + 180, y + 44), fill=(58, 60, 62), outline=(30, 30, 32), width=4)


def _manhole(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    x, y = int(rng.integers(180, 300)), int(rng.integers(320, 350))
    brush.ellipse((x, y, x + 200, y + 104), fill=(66, 68, 70), outline=(26, 26, 28), width=6)
    for k in range(5):
        brush.line((x + 34 + 34 * k, y + 22, x + 34 + 34 * k, y + 82), fill=(36, 38, 40), width=5)


def _rubble(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    if done:
        _manhole(brush, rng, done)
        return
    for x, y in zip(rng.normal(320, 90, 130), rng.normal(390, 26, 130), strict=True):
        size, grey = int(rng.integers(8, 34)), int(rng.integers(104, 176))
        brush.ellipse((x, y, x + size, y + size * 0.7), fill=(grey, grey - 10, grey - 24), outline=(84, 76, 66))


def _yard(brush: ImageDraw.ImageDraw, rng: np.random.Generator, done: bool) -> None:
    for x in rng.integers(0, WIDTH_PX - 80, 3).tolist():
        brush.rectangle((x + 32, 250, x + 42, 320), fill=(92, 70, 50))
        brush.ellipse((x, 170, x + 80, 270), fill=(70, 118, 66))
    if done:
        for x in range(60, WIDTH_PX, 120):
            brush.line((x, 340, x - 60, HEIGHT_PX), fill=(240, 240, 236), width=5)


SCENES: Final = {
    "cables": _cables, "hut": _hut, "trench": _trench, "puddle": _puddle, "manhole": _manhole, "rubble": _rubble,
    "yard": _yard,
}  # fmt: skip
