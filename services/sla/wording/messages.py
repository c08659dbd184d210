"""Chinese is the source; the catalogue in ``locales/`` has the other languages."""

from __future__ import annotations

from pathlib import Path

from shared.web import catalogue

LOCALES = Path(__file__).parents[1] / "locales"


def translate(zh: str, locale: str) -> str:
    """The sentence in `locale`; Chinese where nobody has translated it."""
    return catalogue.load([LOCALES], locale).get(zh, zh)
