"""How a request comes to the code that answers it: in the event loop, and past few other routes."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match

from services.__main__ import builds
from shared.web.app import web_app
from tests.support import make_runtime

CASE = "/api/cases/019cb692-cd00-7000-8000-000000000028"


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    runtime = make_runtime("postgresql://nobody@127.0.0.1:1/none", "127.0.0.1:1", tmp_path)
    return web_app(runtime, {name: make(runtime) for name, make in builds().items()}, lambda: [])


def every_route(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included: Any = getattr(route, "original_router", None)
        yield from [route] if included is None else every_route(included.routes)


def called(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for one in dependant.dependencies:
        yield from called(one)


def test_nothing_is_answered_in_a_thread(app: FastAPI) -> None:
    routes = [route for route in every_route(app.router.routes) if isinstance(route, APIRoute)]
    calls = {call for route in routes for call in called(route.dependant)}
    assert [call for call in calls if not iscoroutinefunction(call)] == []
    assert len(calls) > 100


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/feedback"),
        ("GET", "/api/dashboard"),
        ("GET", "/api/cases"),
        ("GET", CASE),
        ("POST", f"{CASE}/accept"),
    ],
)
def test_what_is_asked_most_is_among_the_first_routes(app: FastAPI, method: str, path: str) -> None:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    full = [r.matches(dict(scope))[0] is Match.FULL for r in app.router.routes]
    assert full.index(True) < 20


@pytest.mark.parametrize(
    ("path", "answered_by"),
    [
        ("/api/cases/bulk/accept", "act_on_many"),
        (f"{CASE}/look", "look"),
        (f"{CASE}/preview", "preview"),
        (f"{CASE}/canned", "for_case"),
        (f"{CASE}/accept", "act"),
    ],
)
def test_no_route_of_a_case_takes_what_is_for_another(
    app: FastAPI, path: str, answered_by: str
) -> None:
    scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "headers": []}
    for route in app.router.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            break
    assert found["endpoint"].__name__ == answered_by
