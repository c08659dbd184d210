"""What the containers of the running project may and may not do."""

from __future__ import annotations

import json

import pytest

from services.__main__ import NAMES
from tests.containers.engine import CommandFailed
from tests.containers.project import Project
from tests.integration.people import Town

SERVICES = (*NAMES, "gateway")
USERS = dict.fromkeys(NAMES, "10001") | {"gateway": "101"}


@pytest.fixture(scope="module", autouse=True)
def _running(town: Town) -> None:
    """All of them."""


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_rights(project: Project, name: str) -> None:
    status = project.exec(name, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {USERS[name]}
    assert set(fields["Gid"].split()) == {USERS[name]}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[kind], 16) == 0, kind
    assert fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_writes_nowhere_but_in_its_memory(project: Project, name: str) -> None:
    body = project.body["services"][name]
    places = {mount.partition(":")[0]: mount.partition(":size=")[2] for mount in body["tmpfs"]}
    listed = project.exec(
        name,
        "sh",
        "-c",
        "find / -path /proc -prune -o -type d -writable -print 2>/dev/null || true",
    )
    found = {one for one in listed.split() if not one.startswith(tuple(f"{p}/" for p in places))}
    assert set(places) <= found <= set(places) | {"/dev/shm", "/dev/mqueue"}
    for directory in ("/", "/var/tmp", "/etc"):
        with pytest.raises(CommandFailed, match="Read-only file system"):
            project.exec(name, "touch", f"{directory}/here")
    for place, size in places.items():
        project.exec(name, "touch", f"{place}/here")
        assert size, f"{place}: how much of the memory it may take is not said"
        with pytest.raises(CommandFailed, match="No space left"):
            project.exec(name, "dd", "if=/dev/zero", f"of={place}/here", "bs=1M",
                         f"count={int(size.removesuffix('m')) + 1}")  # fmt: skip
        project.exec(name, "rm", f"{place}/here")


@pytest.mark.parametrize("name", [*NAMES, "gateway", "postgres", "kafka"])
def test_a_container_has_a_limit_and_room_below_it(project: Project, name: str) -> None:
    (container, *_) = project.containers(name)
    limits = project.engine.inspect(container)["HostConfig"]
    assert limits["Memory"] > 0
    assert limits["PidsLimit"] > 0
    used = memory(project, container)
    print(f"{name}: {used >> 20} of {limits['Memory'] >> 20} MB")
    assert used < limits["Memory"] * 0.8


def memory(project: Project, container: str) -> int:
    """What its processes hold, without the files that the kernel keeps for them."""
    path = "/sys/fs/cgroup/memory/memory.stat"
    try:
        text = project.engine.podman("exec", container, "cat", path)
        name = "total_rss"
    except CommandFailed:
        text = project.engine.podman("exec", container, "cat", "/sys/fs/cgroup/memory.stat")
        name = "anon"
    return int(dict(line.split() for line in text.splitlines())[name])


def test_only_the_gateway_is_reached_from_outside(project: Project) -> None:
    for container in project.containers():
        ports = project.engine.inspect(container)["HostConfig"]["PortBindings"]
        assert any((ports or {}).values()) == ("gateway" in container), container


def test_the_gateway_knows_the_services_and_neither_database_nor_broker(project: Project) -> None:
    ask = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
    for name in ("postgres", "kafka"):
        assert project.exec("desk", "python", "-c", ask, name)
        with pytest.raises(CommandFailed):
            project.exec("gateway", "getent", "hosts", name)
    assert project.exec("gateway", "getent", "hosts", "desk")


def test_it_ends_in_time_when_it_is_asked_to(project: Project) -> None:
    """Killed after its time it would leave 137."""
    for name in (*NAMES, "gateway"):
        project.stop(name)
        (container,) = project.containers(name)
        assert project.engine.inspect(container)["State"]["ExitCode"] == 0, name
    project.up()


def test_what_a_service_says_is_kept_by_the_engine_a_line_each(project: Project) -> None:
    for name in NAMES:
        lines = project.logs(name).splitlines()
        assert any(f"{name} is ready" in line for line in lines)
        assert all("event" in json.loads(line) for line in lines if line.startswith("{")), name
