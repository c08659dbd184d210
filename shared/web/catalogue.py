"""Translations. Chinese is the source: a message id *is* the Chinese text, `en.po` has the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

HERE = Path(__file__).parent
LOCALES = ("zh", "en")


def load(directories: Iterable[Path], locale: str) -> Mapping[str, str]:
    """Chinese → `locale`, from ``<directory>/<locale>.po``; a later directory wins.

    Read once, so that it may be asked for every word; ``zh`` needs no file. An untranslated
    message stays Chinese.
    """
    return _merged(tuple(directories), locale)


@cache
def _merged(directories: tuple[Path, ...], locale: str) -> Mapping[str, str]:
    messages: dict[str, str] = {}
    for directory in directories:
        path = directory / f"{locale}.po"
        if locale != "zh" and path.exists():
            messages |= _read(path, locale)
    return messages


def in_context(context: str | None, message: str) -> str:
    """The key of a message that means something in a context (``msgctxt``) only."""
    return f"{context}\x04{message}" if context else message


@cache
def _read(path: Path, locale: str) -> dict[str, str]:
    with path.open("rb") as file:
        return {
            in_context(message.context, str(message.id)): message.string
            for message in read_po(file, locale=locale)
            if message.id and isinstance(message.string, str) and message.string
        }


def choose(wanted: Iterable[str | None], accept_language: str, default: str) -> str:
    """The first of `wanted` that we speak, else what the browser prefers, else `default`."""
    for one in wanted:
        if one in LOCALES:
            return str(one)
    ranked: list[tuple[float, int, str]] = []
    for index, part in enumerate(accept_language[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        language = tag.split("-")[0].strip().lower()
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if language in LOCALES and weight > 0:
            ranked.append((-weight, index, language))
    return min(ranked)[2] if ranked else default
