"""The model is asked for the vectors of what will be said next, and of no more than it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from services.demo.ahead import AT_MOST, Ahead
from shared.embeddings import Embedder, EmbedderAway, Vector
from shared.embeddings.source import Source


class Model(Embedder):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(Source("builtin"))
        self.asked: list[str] = []
        self.away = False

    async def embed(self, texts: Sequence[str], **more: Any) -> list[Vector]:
        self.asked += texts
        if self.away:
            raise EmbedderAway("not now")
        return [(1.0,) for _ in texts]


async def settle() -> None:
    for _ in range(2 * AT_MOST):
        await asyncio.sleep(0)


async def test_it_asks_in_the_order_in_which_it_is_said_and_not_too_far_ahead() -> None:
    model = Model()
    ahead = Ahead(model)
    texts = [f"letter {n}" for n in range(AT_MOST + 50)]
    for text in texts:
        ahead.expect(text)
    running = asyncio.create_task(ahead.run())
    await settle()
    assert model.asked == texts[:AT_MOST]
    for _ in range(8):
        ahead.said()
    await settle()
    assert model.asked == texts[: AT_MOST + 8]
    running.cancel()


async def test_a_model_that_is_away_ends_nothing() -> None:
    model = Model()
    model.away = True
    ahead = Ahead(model)
    ahead.expect("first")
    running = asyncio.create_task(ahead.run())
    await settle()
    model.away = False
    ahead.expect("second")
    await settle()
    assert model.asked == ["first", "second"]
    running.cancel()


async def test_without_a_model_nothing_is_asked() -> None:
    ahead = Ahead(Embedder())
    ahead.expect("a letter")
    await ahead.run()


async def test_what_will_be_left_out_is_not_asked_for() -> None:
    model = Model()
    ahead = Ahead(model)
    for number in range(6):
        ahead.expect(f"letter {number}", partial(bool, number % 2 == 0))
    running = asyncio.create_task(ahead.run())
    await settle()
    assert model.asked == ["letter 0", "letter 2", "letter 4"]
    running.cancel()
