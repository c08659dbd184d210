"""What deploy/README.md and the runbook say, done word by word on the running project."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.containers.project import Project
from tests.containers.test_story import tells_the_story
from tests.integration.people import Town
from tests.integration.system import PASSWORD, ROOT

Follow = Callable[..., str]
DEPLOY = ROOT / "deploy"


def commands(document: str, chapter: str) -> list[str]:
    """The shell blocks of a chapter, each as it stands."""
    (text,) = re.findall(
        rf"^## [^\n]*{re.escape(chapter)}.*?(?=^## |\Z)",
        (DEPLOY / document).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def follow(town: Town, project: Project, tmp_path: Path) -> Follow:
    """Types a block into a shell in the checkout, where `docker` is the engine of the test."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.containers "$@"\n'
    )
    docker.chmod(0o755)

    (tmp_path / "deploy").symlink_to(DEPLOY)

    def run(block: str, **words: str) -> str:
        for name, value in words.items():
            assert name in block
            block = block.replace(name, value)
        done = subprocess.run(
            ["bash", "-eu", "-c", block],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{docker.parent}:{os.environ['PATH']}"},
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def at_a_terminal(command: str) -> int:
    """Types the password at every question; how often it was asked. What it does must succeed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execvp("bash", ["bash", "-c", command])
    said, asked = b"", 0
    with contextlib.suppress(OSError):  # the end of a terminal
        while more := os.read(terminal, 1024):
            said += more
            if said.endswith(b": "):
                asked += 1
                os.write(terminal, PASSWORD.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    assert status == 0, said.decode()
    return asked


async def test_the_first_start(town: Town, follow: Follow) -> None:
    (block,) = commands("README.md", "One machine")
    fill_in, *rest, create_user = block.splitlines()
    assert fill_in.startswith("cp deploy/.env.example .env")
    said = follow("\n".join(rest))
    token = next(word for word in said.split() if len(word) > 40)
    case, _ = await town.by_adapter(token, "documents-1")
    assert case
    asked = at_a_terminal(create_user.replace("docker", sys.executable + " -m tests.containers"))
    assert asked == 2
    async with town.anybody() as visitor:
        answer = await visitor.post(
            "/api/session", json={"username": "wang.li", "password": PASSWORD}
        )
    assert answer.status_code == 200


async def test_an_upgrade(town: Town, follow: Follow) -> None:
    done = [block for block in commands("README.md", "Upgrades") if "compose up" in block]
    assert len(done) == 2, "there, and back"
    for block in done:
        follow(block)
        await tells_the_story(town)


async def test_the_reasons_of_a_service(town: Town, follow: Follow) -> None:
    text = (DEPLOY / "runbook.md").read_text()
    (block,) = re.findall(r"^```sh\n(ask\(\).*?)^```", text, re.MULTILINE | re.DOTALL)
    # Nothing to complain of is no line, which grep calls a failure.
    assert '"ready":true' in follow(block.replace("info\"'", "info\"' || true")).replace(" ", "")


async def test_dead_letters_and_deliveries_are_found_where_the_runbook_looks(
    town: Town, follow: Follow
) -> None:
    case, _ = await town.by_web()
    look, redrive = commands("runbook.md", "Dead letters")
    follow(look)
    with pytest.raises(AssertionError, match="no event is refused or parked"):
        follow(redrive, FEEDBACK_ID=case)
    for block in commands("runbook.md", "A delivery is uncertain"):
        follow(block)


async def test_a_backup_is_read_through_and_put_back(town: Town, follow: Follow) -> None:
    before = await tells_the_story(town)
    block, *_ = commands("README.md", "Backups")
    folder, make, read_through = block.splitlines()
    assert folder.startswith("sudo install -d")
    follow(make)
    file = follow("docker compose run --rm backup sh -c 'ls /backups'").split()[-1]
    follow(read_through, FILE=file)
    after = await tells_the_story(town)
    stop, put_back, *_ = commands("runbook.md", "Restoring a backup")
    follow(stop, FILE=file)
    follow(put_back, FILE=file)
    for code in (before, after):
        assert (await town.sees(code))["state"] == "CLOSED"
    await tells_the_story(town)


async def test_a_lost_log_comes_back(town: Town, project: Project, follow: Follow) -> None:
    code = await tells_the_story(town)
    (kafka,) = project.containers("kafka")
    project.engine.podman("rm", "-f", "-t", "5", kafka)
    project.engine.podman("volume", "rm", f"{project.body['name']}_kafka")
    (block,) = commands("runbook.md", "The log was lost")
    follow(block)
    assert (await town.sees(code))["state"] == "CLOSED"
    await tells_the_story(town)
