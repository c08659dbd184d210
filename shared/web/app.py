"""One origin: the web application of this process, made of what its services bring."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from shared.observability.metrics import REGISTRY
from shared.service import House, Service
from shared.web import problems
from shared.web.assets import STATIC_DIR
from shared.web.edge import Edge
from shared.web.pages import Pages


def web_app(
    house: House, services: dict[str, Service], process_reasons: Callable[[], list[str]]
) -> FastAPI:
    """The application: health and metrics, assets, then each service's routes."""
    app = FastAPI(
        title="Feedback Express", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    # It would send people to whatever host the request named; `Edge` does it by path alone.
    app.router.redirect_slashes = False
    app.state.house = house
    app.state.services = services
    app.state.process_reasons = process_reasons
    app.state.pages = Pages(
        "shared", Path(__file__).parent / "templates", locale=house.settings.locale
    )
    problems.install(app)
    app.add_middleware(Edge)
    # What everybody asks at once is found first.
    app.router.routes[:0] = [route for s in services.values() for route in s.hot_routes]
    app.mount("/static", _Assets(directory=STATIC_DIR), name="static")
    app.include_router(_operations())
    for service in services.values():
        for router in service.routers:
            app.include_router(router)
    return app


def _operations() -> APIRouter:
    router = APIRouter()

    @router.get("/health/live", include_in_schema=False)
    async def live() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @router.get("/health/ready", include_in_schema=False)
    async def ready(request: Request) -> JSONResponse:
        body = readiness(request.app)
        return JSONResponse(body, 200 if body["ready"] else 503)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type="text/plain; version=0.0.4")

    return router


def readiness(app: FastAPI) -> dict[str, object]:
    """``{ready, reasons, services: {name: {ready, reasons, lag, outbox, …}}}``."""
    services = {}
    for name, service in app.state.services.items():
        reasons = service.reasons()
        relay, consumer = service.relay, service.consumer
        services[name] = {
            "pid": os.getpid(),
            "ready": not reasons,
            "reasons": reasons,
            "lag": consumer.health.lag if consumer else 0,
            "outbox": {
                "waiting": relay.health.waiting if relay else 0,
                "oldest_seconds": round(relay.health.oldest_seconds, 1) if relay else 0,
            },
            "dead_letters": service.letters[0],
            "parked": service.letters[1],
        }
    process = app.state.process_reasons()
    ready = not process and all(s["ready"] for s in services.values())
    house: House = app.state.house
    return {
        "ready": ready,
        "reasons": process,
        "kafka": house.kafka,
        "database": "embedded" if not house.settings.database else "given",
        "versions": _versions(),
        "services": services,
    }


@cache
def _versions() -> dict[str, str]:
    named = ("feedback-express", "faststream", "aiokafka", "fastapi", "sqlalchemy", "asyncpg")
    found = {"python": platform.python_version()}
    for name in named:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


class _Assets(StaticFiles):
    """Names carry a hash, so that a browser may keep them for a year."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
