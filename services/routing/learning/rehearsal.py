"""Letters that the shipped model was learned from, to hold a version to what it says of them."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.routing.domain.model import SignedBytes, hashed, packed
from services.routing.learning.scratch import Letter

REHEARSAL = Path(__file__).parents[1] / "data" / "rehearsal.json"
LONGEST = 60
"""Characters: short letters say one thing each, and take little room."""


class Rehearsal(BaseModel):
    """Letters of ours, as they are shipped. What is right of them is not told: a version says of
    them what the shipped model says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    embedder: str
    letters: list[tuple[str, str]]
    """Title and text."""
    vectors: SignedBytes
    scale: float

    def features(self, buckets: int) -> tuple[Any, list[array[int]]]:
        """A vector of each letter, and its hashed runs of characters."""
        import numpy as np

        table = np.frombuffer(self.vectors, dtype=np.int8).reshape(len(self.letters), -1)
        grams = [array("i", hashed(title, text, buckets)) for title, text in self.letters]
        return table.astype(np.float32) * self.scale, grams


def chosen(
    letters: Sequence[Letter], vectors: Sequence[Sequence[float]], embedder: str
) -> Rehearsal:
    """Every other short letter, and each about conduct: of that no library's letters teach."""
    kept = [at for at, one in enumerate(letters) if _is_chosen(one)]
    bytes_, scale = packed([x for at in kept for x in vectors[at]])
    pairs = [(letters[at].title, letters[at].text) for at in kept]
    return Rehearsal(embedder=embedder, letters=pairs, vectors=bytes_, scale=scale)


def _is_chosen(one: Letter) -> bool:
    half = zlib.crc32(one.text.encode()) % 2 == 0
    return len(one.title) + len(one.text) <= LONGEST and (half or one.category == "conduct")


def shipped_rehearsal() -> Rehearsal:
    """What `make-model` wrote beside the model."""
    return Rehearsal.model_validate_json(REHEARSAL.read_bytes())
