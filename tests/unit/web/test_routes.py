"""How a request comes to the code that answers it: in the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.__main__ import builds
from shared.web.app import web_app
from tests.support import make_runtime


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
