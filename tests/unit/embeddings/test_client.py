"""The client of a given server, and when it stands back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from shared.embeddings import CircuitBreaker, Embedder, EmbedderAway, beginning, parse_source
from tests.fakes.serving import serving


class Hands:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def server(answer: Any, model: str = "bge-m3") -> AsyncIterator[tuple[Embedder, list[Any]]]:
    """A server whose answer to a request `answer` makes, and what it was asked."""
    app, asked = FastAPI(), []

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        body = await request.json()
        asked.append(body | {"key": request.headers.get("authorization")})
        made = answer(body["input"])
        return made if isinstance(made, Response) else JSONResponse(made)

    async with serving(app) as url:
        embedder = Embedder(parse_source(f"{url}/v1?model={model}"), key="a key")
        try:
            yield embedder, asked
        finally:
            await embedder.close()


def vectors(texts: list[str]) -> dict[str, Any]:
    """Length 2, so that it has to be made 1; in any order, as the protocol allows."""
    data = [{"index": n, "embedding": [0.0] * 7 + [2.0 + n]} for n in range(len(texts))]
    return {"object": "list", "data": data[::-1], "model": "what it calls itself"}


async def test_many_texts_are_asked_for_in_batches_and_come_back_in_order() -> None:
    async with server(vectors) as (embedder, asked):
        found = await embedder.embed([f"text {n}" for n in range(40)])
    assert [len(one["input"]) for one in asked] == [16, 16, 8]
    assert asked[0]["key"] == "Bearer a key"
    assert asked[0]["input"][0] == "text 0"
    assert len(found) == 40
    assert all(sum(x * x for x in one) == pytest.approx(1) for one in found)
    assert embedder.model == "bge-m3"


async def test_a_model_of_the_family_e5_gets_the_word_it_was_trained_with() -> None:
    async with server(vectors, model="multilingual-e5-large") as (embedder, asked):
        await embedder.embed(["seats"], kind="query")
        await embedder.embed(["seats"], kind="passage")
    assert [one["input"] for one in asked] == [["query: seats"], ["passage: seats"]]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [{"index": 1, "embedding": [1.0] * 8}]},
        {"data": [{"index": 0, "embedding": [0.0] * 8}]},
        {"data": [{"index": 0, "embedding": ["a"] * 8}]},
        {"data": [{"index": 0, "embedding": [1.0]}]},
        [],
        Response(b'{"data": [{"index": 0, "embedding": [NaN, 1, 1, 1, 1, 1, 1, 1]}]}'),
        Response(b"<html>", media_type="text/html"),
        Response(b"the words of the request", 500),
        Response(b"[" * 100_000),
    ],
)
async def test_an_answer_that_is_none_is_no_vector(answer: Any) -> None:
    async with server(lambda texts: answer) as (embedder, _):
        with pytest.raises(EmbedderAway) as away:
            await embedder.embed(["something private"])
        assert embedder.notices()
    assert "private" not in str(away.value)
    assert "words" not in str(away.value)


async def test_after_failures_it_is_left_alone_and_then_tried_once() -> None:
    clock = Hands()
    broken = True
    count = 0

    def answer(texts: list[str]) -> Any:
        nonlocal count
        count += 1
        return Response(b"", 503) if broken else vectors(texts)

    async with server(answer) as (embedder, _):
        embedder._breaker = CircuitBreaker(failures=2, first=5, longest=60, now=clock)
        for _ in range(5):
            with pytest.raises(EmbedderAway):
                await embedder.embed(["x"])
        assert count == 2
        assert not embedder.available
        clock.now += 6
        assert embedder.available
        with pytest.raises(EmbedderAway):
            await embedder.embed(["x"])
        assert count == 3
        clock.now += 6  # the second pause is twice as long
        assert not embedder.available
        clock.now += 6
        broken = False
        assert len(await embedder.embed(["x"])) == 1
        assert embedder.available
        assert not embedder.notices()


async def test_where_there_is_none_it_says_why_at_once() -> None:
    missing = Embedder(parse_source("builtin"), missing="no model for this machine")
    with pytest.raises(EmbedderAway, match="no model for this machine"):
        await missing.embed(["x"])
    assert not missing.available
    assert missing.notices() == ["embeddings: no model for this machine"]
    assert Embedder(parse_source("off")).notices() == []


def test_only_the_beginning_is_embedded() -> None:
    assert beginning("标题", "第一句。\n\n 第二句。") == "标题 第一句。 第二句。"
    assert beginning("", "  ") == ""
    assert len(beginning("题" * 200, "字" * 50_000)) == 240
    assert len(beginning("t" * 200, "word " * 50_000)) == 3 * 240
    assert beginning("", "字" * 239 + "word") == "字" * 239 + "wor"
    assert beginning("", "字" * 239 + "wo字") == "字" * 239 + "wo"


@pytest.mark.parametrize(
    "value",
    [
        "on",
        "https://host/v1",
        "ftp://host/v1?model=x",
        "https://u:p@host/v1?model=x",
        "https://host:99999/v1?model=x",
        "https:///v1?model=x",
    ],
)
def test_a_setting_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_source(value)


def test_a_given_server_is_read() -> None:
    source = parse_source(" https://ai.example.edu:8443/v1/?model=bge-m3 ")
    assert (source.kind, source.url, source.model) == (
        "given",
        "https://ai.example.edu:8443/v1",
        "bge-m3",
    )


async def test_a_server_that_answers_nonsense_is_asked_seldom_and_said_once() -> None:
    hands = Hands()
    answers = [{"data": "nonsense"}]
    async with server(lambda texts: answers[0] if answers else vectors(texts)) as (given, asked):
        embedder = Embedder(given.source, breaker=CircuitBreaker(now=hands), now=hands)

        async def ask(seconds: int) -> int:
            """Every second, as the jobs do; how often it was worth a line."""
            lines = 0
            for _ in range(seconds):
                try:
                    await embedder.embed(["text"])
                except EmbedderAway as away:
                    lines += embedder.news(away)
                hands.now += 1
            return lines

        assert await ask(600) == 1
        assert len(asked) < 20
        assert await ask(600) == 1  # and again after a quarter of an hour
        answers.clear()
        assert await ask(70) == 0
        assert embedder.error is None
        answers.append({"data": "nonsense"})
        assert await ask(3) == 1  # it worked in between: that is news
        await embedder.close()
