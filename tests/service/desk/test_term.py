"""Five weeks of an invented term with faults told in words of their own, as the desk sees them.

Whole terms are ``python -m tests.benchmarks surges``. The letters between are those of routing's
third and fourth hand, whose vectors are at hand; nothing is chosen by them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.surges import play
from tests.unit.desk import told

UNIT = Path(__file__).parents[2] / "unit"


def lines(*path: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in UNIT.joinpath(*path).read_text("utf-8").splitlines()]


def read(packed: str) -> Any:
    found = np.frombuffer(base64.b64decode(packed), dtype=np.int8).astype(np.float32)
    return found / np.linalg.norm(found)


async def test_of_faults_told_in_words_of_their_own_most_are_found_at_once_and_little_else(
    make_quiet_runtime: Callable[..., Any],
) -> None:
    stock: dict[str, list[str]] = {}
    vectors = {one["text"]: read(one["vector"]) for one in lines("desk", "faults_vectors.jsonl")}
    for hand in ("third_hand", "fourth_hand"):
        vectors_of = lines("routing", f"{hand}_vectors.jsonl")
        for letter, packed in zip(lines("routing", f"{hand}.jsonl"), vectors_of, strict=True):
            stock.setdefault(letter["category"] or "none", []).append(letter["text"])
            vectors[letter["text"]] = read(packed["vector"])
    term = told.term(3, "judged", days=36, a_day=10, stock=stock, begins=21, apart=2)
    seen = await play(make_quiet_runtime(), term, vectors)
    assert seen.of(told.KINDS[0])[1:] == (3, 3)
    assert len(seen.found) >= 5
    assert min(seen.pure.values()) >= 0.8
    assert not seen.false
