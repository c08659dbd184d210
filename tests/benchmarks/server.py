"""The intake service with two controls beside it, in a process of its own.

``POST /control/nothing`` reads and answers like the door but touches no database;
``POST /control/orm`` is what most people would write: FastAPI, one ORM session and one commit per
request. ``POST /control/relay`` starts or stops publishing, ``GET /control/cpu`` says what this
process has used.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import uvloop
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import Field, SQLModel
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.intake.app import build
from shared.ids import new_id
from shared.observability import logs
from shared.process import _server, _settle_memory
from shared.web.app import web_app
from tests import support
from tests.benchmarks.load import WECHAT_TOKEN

ACCOUNT = {"account": "bench", "appid": "wx-bench", "secret": "s", "token": WECHAT_TOKEN}


class Letter(BaseModel):
    text: str
    place: str | None = None
    channel: str
    source_message_id: str


class OrmLetter(SQLModel, table=True):
    __tablename__ = "bench_letters"
    id: str = Field(primary_key=True)
    text: str
    place: str | None = None
    channel: str
    source_message_id: str


SESSIONS = async_sessionmaker(expire_on_commit=False)


async def session() -> Any:
    async with SESSIONS() as one:
        yield one


async def orm(letter: Letter, db: Annotated[AsyncSession, Depends(session)]) -> dict[str, str]:
    row = OrmLetter(id=new_id(), **letter.model_dump())
    db.add(row)
    await db.commit()
    return {"feedback_id": row.id, "tracking_code": "x", "track_url": "x"}


async def nothing(request: Request) -> JSONResponse:
    Letter.model_validate_json(await request.body())
    return JSONResponse({"feedback_id": new_id(), "tracking_code": "x", "track_url": "x"}, 201)


async def serve(database: str, kafka: str, port: int) -> None:
    runtime = support.make_runtime(
        database, kafka, Path("."), host="127.0.0.1", port=port, wechat=json.dumps([ACCOUNT])
    )
    service = build(runtime)
    await service.connect()
    await service.start()
    SESSIONS.configure(bind=service.engine)
    async with service.engine.begin() as connection:
        await connection.run_sync(OrmLetter.metadata.create_all)
    router = APIRouter()
    router.post("/control/orm", status_code=201)(orm)

    @router.post("/control/relay")
    async def relay(request: Request) -> dict[str, bool]:
        on = (await request.json())["on"]
        assert service.relay is not None
        await (service.relay.start() if on else service.relay.stop())
        return {"on": on}

    @router.get("/control/cpu")
    async def cpu() -> float:
        return time.process_time()

    service.hot_routes = [
        *service.hot_routes,
        Route("/control/nothing", nothing, methods=["POST"]),
    ]
    service.routers.append(router)
    app = web_app(runtime, {"intake": service}, lambda: [])
    _settle_memory()
    print(json.dumps({"token": support.adapter_token(runtime, "bench")}), flush=True)
    await _server(app, runtime.settings).serve()


if __name__ == "__main__":
    logs.configure(level=50)
    logging.disable(logging.CRITICAL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
