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
from shared.release import RELEASE
from shared.service import Runtime, Service
from shared.web import problems
from shared.web.assets import STATIC_DIR
from shared.web.edge import Edge
from shared.web.pages import Pages


def web_app(
    runtime: Runtime, services: dict[str, Service], process_reasons: Callable[[], list[str]]
) -> FastAPI:
    """The application: health and metrics, assets, then each service's routes."""
    base = runtime.settings.base_path
    app = FastAPI(
        title="Feedback Express",
        version=str(RELEASE),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        servers=[{"url": base}] if base else None,
    )
    # It would send people to whatever host the request named; `Edge` does it by path alone.
    app.router.redirect_slashes = False
    app.state.runtime = runtime
    app.state.services = services
    app.state.process_reasons = process_reasons
    app.state.pages = Pages.of(runtime, "shared", Path(__file__).parent / "templates")
    problems.install(app)
    larger = {path: size for s in services.values() for path, size in s.larger_bodies.items()}
    app.add_middleware(Edge, base_path=base, larger=larger)
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
        consumer = service.consumer
        services[name] = {
            "pid": os.getpid(),
            "ready": not reasons,
            "reasons": reasons,
            "warnings": service.warnings(),
            "lag": consumer.health.lag if consumer else 0,
            "outbox": {
                "waiting": service.outbox.waiting,
                "oldest_seconds": round(service.outbox.oldest_seconds, 1),
                "refused": service.outbox.refused,
                "held": service.outbox.held,
            },
            "dead_letters": service.letters[0],
            "parked": service.letters[1],
        }
    process = app.state.process_reasons()
    ready = not process and all(s["ready"] for s in services.values())
    runtime: Runtime = app.state.runtime
    return {
        "ready": ready,
        "reasons": process,
        "kafka": runtime.kafka,
        "database": "embedded" if not runtime.settings.database else "given",
        "embeddings": runtime.embedder.state,
        "versions": _versions(),
        "services": services,
    }


@cache
def _versions() -> dict[str, str]:
    named = ("faststream", "aiokafka", "fastapi", "sqlalchemy", "asyncpg")
    found = {"feedback-express": str(RELEASE), "python": platform.python_version()}
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
