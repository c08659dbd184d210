"""What a case can teach: where it belonged in the end, and what it meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lesson:
    """A case of which it is known where it belonged: a department, or ``not_ours``.

    `vector` is what it means, by the embedder that is in use; `grams` are the hashed runs of its
    characters, or None where they are to be made of `title` and `text` (masked).
    """

    owner: str
    vector: Sequence[float]
    category: str | None = None
    title: str = ""
    text: str = ""
    grams: Sequence[int] | None = None
    case_type: str | None = None
    priority: str | None = None
    """As people said them; None where they did not."""
    new: bool = False
    """The version in use has not learned from it."""
