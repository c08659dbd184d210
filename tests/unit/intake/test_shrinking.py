"""What is a picture, and what is left of it."""

from __future__ import annotations

import random

import pytest
from PIL import Image

from services.intake.domain.pictures import LARGEST, Flaw, not_taken
from services.intake.shrinking import LONGEST, MOST_KEPT, NoPicture, shrink
from tests.pictures import as_held, encoded, gif, heic, huge_png, opened, photo


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_people_send_becomes_a_small_jpeg(kind: str) -> None:
    kept = shrink(encoded(Image.new("RGB", (3200, 1000), "teal"), kind))
    assert (kept.width, kept.height) == (LONGEST, 500)
    image = opened(kept.content)
    assert (image.format, image.size, image.mode) == ("JPEG", (kept.width, kept.height), "RGB")


def test_what_is_small_already_is_not_made_larger() -> None:
    assert shrink(photo(40, 30)).width == 40


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_colours_is_taken(mode: str) -> None:
    assert shrink(encoded(Image.new(mode, (80, 60)), "PNG")).width == 80


def test_what_can_be_seen_through_lies_on_white() -> None:
    kept = shrink(encoded(Image.new("RGBA", (60, 60), (0, 0, 0, 0)), "PNG"))
    assert opened(kept.content).getpixel((30, 30)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(1, (400, 200), (50, 100)), (3, (400, 200), (350, 100)), (6, (200, 400), (100, 50)),
     (8, (200, 400), (100, 350)), (2, (400, 200), (350, 100)), (77, (400, 200), (50, 100))],
)  # fmt: skip
def test_it_stands_as_it_was_held_and_says_nothing_else(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    kept = shrink(as_held(orientation))
    image = opened(kept.content)
    assert image.size == size
    pixel = image.getpixel(red_at)
    assert isinstance(pixel, tuple)
    red, _, blue = pixel
    assert red > 200 > 60 > blue
    assert not image.getexif()
    for secret in (b"Secret", b"Exif", b"GPS"):
        assert secret not in kept.content


def test_noise_is_made_smaller_until_it_is_small_enough() -> None:
    kept = shrink(encoded(Image.effect_noise((1600, 1600), 200).convert("RGB")))
    assert len(kept.content) <= MOST_KEPT


def test_what_follows_a_picture_is_left_behind() -> None:
    kept = shrink(photo() + b"PK\x03\x04<script>alert(1)</script>%PDF-1.7")
    assert b"script" not in kept.content
    assert b"PDF" not in kept.content


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", Flaw.EMPTY),
        (heic(), Flaw.HEIC),
        (gif(), Flaw.FOREIGN),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", Flaw.FOREIGN),
        (b"%PDF-1.7", Flaw.FOREIGN),
        (b"\0" * 2000, Flaw.FOREIGN),
        (photo(900, 900)[:700], Flaw.BROKEN),
        (encoded(Image.effect_noise((90, 90), 50), "PNG")[:900], Flaw.BROKEN),
        (huge_png(), Flaw.TOO_MANY_PIXELS),
        (huge_png(10_000, 10_000), Flaw.TOO_MANY_PIXELS),
        (encoded(Image.new("1", (10_000, 10_000)), "PNG"), Flaw.TOO_MANY_PIXELS),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, flaw: Flaw) -> None:
    with pytest.raises(NoPicture) as refused:
        shrink(content)
    assert refused.value.flaw is flaw


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_bytes_that_were_changed_are_a_picture_or_are_none(kind: str) -> None:
    whole, chance = encoded(Image.effect_noise((48, 48), 60).convert("RGB"), kind), random.Random(7)
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            assert shrink(bytes(content)).content
        except NoPicture as refused:
            assert refused.flaw in Flaw


@pytest.mark.parametrize("flaw", Flaw)
def test_every_refusal_says_which_one_in_both_languages(flaw: Flaw) -> None:
    said = not_taken(2, 3, flaw)
    assert said.zh.startswith("第 2 张照片")
    assert said.en.startswith("Picture 2 ")
    assert said.errors is not None
    assert said.errors.keys() == {"pictures"}
    if flaw is Flaw.TOO_LARGE:
        assert str(LARGEST // 1_000_000) in said.zh
