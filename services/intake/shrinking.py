"""Reading what a stranger says is a picture, and making it small; bytes in, bytes out.

What is kept is drawn anew: nothing but what is seen goes on, neither where it was taken nor what
else the file had in it. Pillow is loaded with the first picture, since most processes never get
one. Nothing is decoded before its size is known: how much memory the kinds need was measured.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.intake.domain.pictures import Flaw

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST = 1600
"""Pixels of the longer side of what is kept."""
MOST_KEPT = 300_000
"""Bytes of what is kept."""
_MEGA = 1_000_000
MOST_PIXELS = {"JPEG": 64 * _MEGA, "progressive": 25 * _MEGA, "PNG": 16 * _MEGA, "WEBP": 8 * _MEGA}
"""What takes about a hundred megabytes to decode. A JPEG is made smaller while it is decoded."""
_STEPS = ((1600, 82), (1600, 70), (1600, 55), (1280, 55), (1024, 45), (800, 40), (640, 30))
"""Longest side and quality, until it is small enough."""
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_WHOLE_BYTES = frozenset({"L", "RGB", "RGBA", "CMYK"})
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A JPEG that anybody may be shown."""

    width: int
    height: int
    content: bytes = field(repr=False)


class NoPicture(ValueError):
    """Nothing that can be kept as a picture."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


def shrink(content: bytes) -> Shrunk:
    """The picture in `content`, whatever its name; `NoPicture` where there is none."""
    import PIL.Image  # some megabytes that a process without a picture need not hold

    if not content:
        raise NoPicture(Flaw.EMPTY)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise NoPicture(Flaw.HEIC)
    # The check here is ours, and comes before anything is decoded.
    PIL.Image.MAX_IMAGE_PIXELS = None
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    trips = (
        *(ArithmeticError, AttributeError, LookupError, MemoryError, OSError, SyntaxError),
        *(TypeError, ValueError, struct.error, zlib.error),
    )
    try:
        found = PIL.Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
    except PIL.UnidentifiedImageError:
        raise NoPicture(Flaw.FOREIGN) from None
    except trips:
        raise NoPicture(Flaw.BROKEN) from None
    with found:
        kind = "progressive" if found.info.get("progressive") else found.format or ""
        if found.width * found.height > MOST_PIXELS.get(kind, MOST_PIXELS["JPEG"]):
            raise NoPicture(Flaw.TOO_MANY_PIXELS)
        try:
            return _encoded(_upright(found))
        except trips:
            raise NoPicture(Flaw.BROKEN) from None


def _upright(found: Image) -> Image:
    """Small, as it was held, in plain colours."""
    from PIL.Image import Transpose

    turns = {
        2: (Transpose.FLIP_LEFT_RIGHT,),
        3: (Transpose.ROTATE_180,),
        4: (Transpose.FLIP_TOP_BOTTOM,),
        5: (Transpose.TRANSPOSE,),
        6: (Transpose.ROTATE_270,),
        7: (Transpose.TRANSVERSE,),
        8: (Transpose.ROTATE_90,),
    }.get(_orientation(found), ())
    found.draft("RGB", (LONGEST, LONGEST))
    found.load()
    factor = max(found.size) // LONGEST
    # Before anything else is made of it: each copy of what is large costs as much again.
    small = found.reduce(factor) if factor > 1 and found.mode in _WHOLE_BYTES else found
    plain = _plain(small)
    plain.thumbnail((LONGEST, LONGEST))
    for turn in turns:
        plain = plain.transpose(turn)
    return plain


def _orientation(found: Image) -> int:
    try:
        return int(found.getexif().get(_ORIENTATION, 1))
    except (
        ArithmeticError,
        LookupError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ):
        return 1  # what says how it was held cannot be read; what is seen can


def _plain(image: Image) -> Image:
    """In red, green and blue; what can be seen through lies on white."""
    import PIL.Image

    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    paper = PIL.Image.new("RGB", layered.size, "white")
    paper.paste(layered, mask=layered.getchannel("A"))
    return paper


def _encoded(image: Image) -> Shrunk:
    """As JPEG, without what came with it, and not larger than it may be."""
    for longest, quality in _STEPS:
        if max(image.size) > longest:
            image.thumbnail((longest, longest))
        out = io.BytesIO()
        # Said, since a comment would be taken over from the file.
        image.save(out, "JPEG", quality=quality, exif=b"", icc_profile=None, comment=b"")
        if out.tell() <= MOST_KEPT:
            break
    return Shrunk(*image.size, out.getvalue())
