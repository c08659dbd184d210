"""A server that several processes use ends with the last of them, however they end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from shared.embedded import EmbeddedKafka, EmbeddedPostgres
from shared.embedded.locks import Use
from tests.messaging.embedded.users import User, ended, is_running


async def test_it_stays_for_the_others_when_its_starter_leaves(tmp_path: Path) -> None:
    starter = await User.of("EmbeddedPostgres", tmp_path)
    other = EmbeddedPostgres(tmp_path)
    await other.start()
    await starter.gone()
    assert other.pid == starter.pid
    await other.stop()
    assert not is_running(starter.pid)


@pytest.mark.parametrize("server", [EmbeddedPostgres, EmbeddedKafka])
async def test_it_stays_for_the_others_when_its_starter_is_killed(
    server: type[EmbeddedPostgres | EmbeddedKafka], tmp_path: Path
) -> None:
    starter = await User.of(server.__name__, tmp_path)
    command = server(tmp_path)
    await command.start()
    await starter.killed()
    started_again = await User.of(server.__name__, tmp_path)
    assert started_again.pid == starter.pid
    await command.stop()
    assert is_running(starter.pid)
    await started_again.gone()
    assert not is_running(starter.pid)


async def test_it_ends_by_itself_when_the_last_one_is_killed(tmp_path: Path) -> None:
    starter = await User.of("EmbeddedPostgres", tmp_path)
    last = await User.of("EmbeddedPostgres", tmp_path)
    await starter.gone()
    assert is_running(last.pid)
    await last.killed()
    await ended(last.pid)


async def test_who_starts_right_after_the_only_one_was_killed_has_a_server(tmp_path: Path) -> None:
    for _ in range(3):
        await (await User.of("EmbeddedPostgres", tmp_path)).killed()
    server = EmbeddedPostgres(tmp_path)
    await server.start()
    pid = server.pid
    assert pid
    await server.stop()
    assert not is_running(pid)


async def test_it_blocks_nobody_when_its_keeper_was_killed_too(tmp_path: Path) -> None:
    only = await User.of("EmbeddedPostgres", tmp_path)
    keeper = psutil.Process(only.pid).parent()
    assert keeper is not None
    keeper.suspend()
    await only.killed()
    keeper.kill()
    server = EmbeddedPostgres(tmp_path)
    await server.start()
    pid = server.pid
    assert pid
    await server.stop()
    assert not is_running(pid)
    await ended(only.pid)


async def test_who_comes_while_the_last_one_ends_it_waits(tmp_path: Path) -> None:
    last, coming = Use(tmp_path / "users"), Use(tmp_path / "users")
    await last.join()
    assert await last.leave()
    joining = asyncio.create_task(coming.join())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(joining), 0.1)
    last.release()
    await joining
    assert await coming.leave()
    coming.release()
