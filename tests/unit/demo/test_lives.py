"""What becomes of a comment in the demonstration, step by step, without a system."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.demo import letters
from services.demo.lives import Life


class Told(Life):
    """Takes no time; keeps who did what, and all of it is allowed."""

    async def _wait(self, working_hours: float, *, heard: bool = False) -> None:
        return None

    async def _do(self, who: str, action: str, **body: Any) -> dict[str, Any] | None:
        self.__dict__.setdefault("steps", []).append((who, action))
        return {}


def life(topic: str) -> Told:
    rng = random.Random(1)
    letter = letters.letter(rng, topic, letters.stock()["topics"][topic]["texts"][0])
    directory = SimpleNamespace(department_name=lambda department, locale: department)
    asking = SimpleNamespace(runtime=SimpleNamespace(directory=directory))
    town = cast("Any", SimpleNamespace(asking=asking))
    return Told(town, cast("Any", None), letter, rng)


@pytest.mark.parametrize("department", ["it", "relations"])
async def test_what_is_not_ours_is_sent_back_and_refused_wherever_it_went(department: str) -> None:
    told = life("not_ours")
    assert await told._placed({"state": "DISPATCHED", "department": department}) is None
    assert told.__dict__["steps"] == [
        (f"liaison.{department}", "return"),
        ("coordinator", "reject"),
    ]


@pytest.mark.parametrize("topic", [t for t in letters.stock()["topics"] if t != "not_ours"])
def test_all_else_can_be_answered(topic: str) -> None:
    told = life(topic)
    assert told._outcome() in told.letter.outcomes
