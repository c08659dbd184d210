"""Pictures as people send them, and files that only say they are pictures."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def encoded(image: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def photo(width: int = 400, height: int = 300, colour: str = "teal", **how: Any) -> bytes:
    """A JPEG of one colour."""
    return encoded(Image.new("RGB", (width, height), colour), **how)


def as_held(orientation: int) -> bytes:
    """A photo of a phone: lying, with how it was held, where, and by which phone."""
    about = Image.Exif()
    about[0x0112], about[0x010F] = orientation, "SecretPhone"
    about.get_ifd(0x8825)[1], about.get_ifd(0x8825)[2] = "N", (39.0, 59.0, 30.0)
    left_red = Image.new("RGB", (400, 200), "blue")
    left_red.paste("red", (0, 0, 200, 200))
    return encoded(left_red, exif=about, comment=b"SecretComment")


def huge_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """A few bytes that say they are very large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500


def gif() -> bytes:
    frames = [Image.new("P", (60, 60), n) for n in range(40)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))
