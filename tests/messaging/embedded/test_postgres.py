"""The embedded PostgreSQL, for real."""

from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.embedded import EmbeddedPostgres


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_data_survive_a_restart_and_the_address_stays(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = await server.start()
    try:
        await ask(url, "CREATE TABLE said (words text)")
        await ask(url, "INSERT INTO said VALUES ('三层没有座位')")
        await server.stop()
        assert server.pid is None
        assert await server.start() == url
        assert await ask(url, "SELECT words FROM said") == "三层没有座位"
    finally:
        await server.stop()


async def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = await server.start()
    try:
        await ask(url, "CREATE TABLE said (words text)")
        await ask(url, "INSERT INTO said VALUES ('谢谢')")
        server.kill()
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await ask(url, "SELECT 1")
        await server.start()
        assert await ask(url, "SELECT words FROM said") == "谢谢"
    finally:
        await server.stop()


async def test_it_commits_for_sure_and_sees_chinese_trigrams(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = await server.start()
    try:
        assert await ask(url, "SHOW synchronous_commit") == "on"
        assert await ask(url, "SHOW fsync") == "on"
        await ask(url, "CREATE EXTENSION pg_trgm")
        assert await ask(url, "SELECT similarity('图书馆座位不够', '图书馆座位太少')") > 0.3
    finally:
        await server.stop()


async def test_sqlalchemy_takes_the_same_address(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "一个 folder")
    url = make_url(await server.start()).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    finally:
        await engine.dispose()
        await server.stop()


async def test_a_deep_data_directory_is_no_obstacle(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("deep" * 20) / ("deeper" * 10))
    url = await server.start()
    try:
        assert await ask(url, "SELECT 1") == 1
    finally:
        await server.stop()


async def test_a_second_user_of_the_directory_joins_and_stops_nothing(tmp_path: Path) -> None:
    first, second = EmbeddedPostgres(tmp_path), EmbeddedPostgres(tmp_path)
    url = await first.start()
    try:
        assert await second.start() == url
        assert second.pid == first.pid
        await second.stop()
        assert await ask(url, "SELECT 1") == 1
    finally:
        await first.stop()


async def test_no_directory_is_opened_to_others_on_the_way(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data")
    url = await server.start()
    try:
        assert await ask(url, "SELECT 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (closed / "data" / "sockets").stat().st_mode & 0o777 == 0o700
        assert psutil.Process(server.pid).uids().real != 0
    finally:
        await server.stop()
