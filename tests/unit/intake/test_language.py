"""In which language somebody in a chat is answered."""

from __future__ import annotations

import pytest

from services.intake.domain.language import language_of


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("四楼自助借还机坏了", "zh"),
        ("三层 WiFi 连不上", "zh"),
        ("The printer on the second floor is broken", "en"),
        ("Where's my book?", "en"),
        # Of these nothing is certain: the language of the house, or of the case.
        ("WiFi", None),
        ("OK 👍", None),
        ("3", None),
        ("https://lib.example.edu/x", None),
        ("Where is the 借还机 please", None),
        ("プリンターが故障", None),
        ("La bibliothèque est fermée", None),
    ],
)
def test_who_writes_one_language_alone_is_answered_in_it(words: str, language: str | None) -> None:
    for house in ("zh", "en"):
        assert language_of(words, house) == (language or house)
