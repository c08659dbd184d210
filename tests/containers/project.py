"""What `docker compose` does, as far as the documents ask for it, on the engine of the test."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.containers import compose
from tests.containers.engine import CommandFailed, Engine

_WITHIN = 240.0
_SERVICE, _NUMBER, _MADE_OF = "compose.service", "compose.number", "compose.fingerprint"


class Project:
    """The compose file of a checkout with an ``.env``; what runs is asked of the engine."""

    def __init__(
        self, engine: Engine, root: Path, env: Path, *, without: frozenset[str] = frozenset()
    ) -> None:
        self.engine = engine
        self.root = root
        self.env = env
        self.without = without
        """Services whose image nobody can make here."""

    @property
    def body(self) -> dict[str, Any]:
        """The file as it is now."""
        body = compose.read(self.root / "docker-compose.yml", compose.read_env(self.env))
        for name in self.without:
            del body["services"][name]
        return body

    # -- as the commands of the same names ---------------------------------------------------

    def up(
        self, *names: str, scale: dict[str, int] | None = None, no_deps: bool = False
    ) -> list[str]:
        """Start what does not run, make anew what changed, wait until it is healthy.

        Names of the containers that were made.
        """
        body = self.body
        # What has a profile is started by its name only.
        by_itself = [n for n, one in body["services"].items() if "profiles" not in one]
        wanted = list(names) or by_itself
        made: list[str] = []
        met: set[tuple[str, str]] = set()
        self._make_networks(body)
        for name in wanted if no_deps else compose.in_order(body, wanted):
            if not no_deps:
                for needed, how in body["services"][name].get("depends_on", {}).items():
                    if (needed, how["condition"]) not in met:
                        self._await(body, needed, how["condition"])
                        met.add((needed, how["condition"]))
            count = (scale or {}).get(name) or max(1, len(self.containers(name)))
            for number in range(1, count + 1):
                made += self._start(body, name, number)
            for one in set(self.containers(name)) - {
                self._name(body, name, number) for number in range(1, count + 1)
            }:
                self.engine.podman("rm", "-f", "-t", "20", one)
        for name in wanted:
            asked = "healthcheck" in body["services"][name]
            if asked and (name, "service_healthy") not in met:
                self._await(body, name, "service_healthy")
        return made

    def run(self, name: str, *command: str) -> str:
        """A command (the service's own if none is given) in a container that goes afterwards."""
        body = self.body
        self.up(*body["services"][name].get("depends_on", {}))
        words, image = self._words(body, name)
        said = command or compose.command_of(body["services"][name])
        return self.engine.podman("run", "--rm", *words, image, *said, timeout=_WITHIN)

    def exec(self, name: str, *command: str, number: int = 1, input: str = "") -> str:
        return self.engine.podman(
            "exec", "-i", self._name(self.body, name, number), *command, input=input.encode()
        )

    def stop(self, *names: str) -> None:
        for name in names:
            for container in self.containers(name):
                self.engine.podman("stop", container)

    def logs(self, name: str) -> str:
        done = subprocess.run(
            ["podman", "logs", self.containers(name)[0]],
            env=self.engine.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout.decode(errors="replace")

    def down(self, *, volumes: bool = False) -> None:
        body = self.body
        gone = self.containers()
        if gone:
            self.engine.podman("rm", "-f", "-t", "20", *gone, timeout=_WITHIN)
        for network in body["networks"]:
            if self.engine.exists("network", f"{body['name']}_{network}"):
                self.engine.podman("network", "rm", f"{body['name']}_{network}")
        for volume in body["volumes"] if volumes else ():
            if self.engine.exists("volume", f"{body['name']}_{volume}"):
                self.engine.podman("volume", "rm", f"{body['name']}_{volume}")

    # -- what is there -----------------------------------------------------------------------

    def containers(self, name: str | None = None) -> list[str]:
        """Names of the containers of a service (or all), also of those that ended."""
        label = f"label={_SERVICE}={name}" if name else f"label={_SERVICE}"
        listed = self.engine.podman("ps", "-a", "--format", "json", "--filter", label)
        return sorted(one["Names"][0] for one in json.loads(listed or "[]"))

    def healthy(self, container: str) -> bool:
        service = self.body["services"][
            self.engine.inspect(container)["Config"]["Labels"][_SERVICE]
        ]
        try:
            self.engine.podman(
                "exec", container, *compose.health_of(service),
                timeout=compose.seconds(service["healthcheck"]["timeout"]),
            )  # fmt: skip
        except (CommandFailed, subprocess.TimeoutExpired):
            return False
        return True

    def await_healthy(self, *names: str) -> None:
        for name in names:
            self._await(self.body, name, "service_healthy")

    # -- how ---------------------------------------------------------------------------------

    def _name(self, body: dict[str, Any], name: str, number: int) -> str:
        return f"{body['name']}-{name}-{number}"

    def _words(self, body: dict[str, Any], name: str) -> tuple[list[str], str]:
        return compose.container_words(body, name, self.root), body["services"][name]["image"]

    def _start(self, body: dict[str, Any], name: str, number: int) -> Iterable[str]:
        words, image = self._words(body, name)
        command = compose.command_of(body["services"][name])
        identity = self.engine.podman("image", "inspect", "--format", "{{.Id}}", image).strip()
        made_of = compose.fingerprint([*words, *command], identity)
        container = self._name(body, name, number)
        if self.engine.exists("container", container):
            there = self.engine.inspect(container)
            if there["Config"]["Labels"].get(_MADE_OF) == made_of:
                if not there["State"]["Running"]:
                    self.engine.podman("start", container)
                return
            grace = int(compose.seconds(body["services"][name].get("stop_grace_period", "10s")))
            self.engine.podman("stop", "-t", str(grace), container)
            self.engine.podman("rm", container)
        labels = {_SERVICE: name, _NUMBER: str(number), _MADE_OF: made_of}
        self.engine.podman(
            "run", "-d", "--pull=never", "--name", container,
            *(word for key, value in labels.items() for word in ("--label", f"{key}={value}")),
            *words, image, *command,
        )  # fmt: skip
        yield container

    def _make_networks(self, body: dict[str, Any]) -> None:
        for network in body["networks"]:
            full = f"{body['name']}_{network}"
            if not self.engine.exists("network", full):
                self.engine.podman("network", "create", *compose.network_words(body, network), full)

    def _await(self, body: dict[str, Any], name: str, condition: str) -> None:
        end = time.monotonic() + _WITHIN
        for container in self.containers(name):
            while True:
                state = self.engine.inspect(container)["State"]
                if condition == "service_completed_successfully" and not state["Running"]:
                    assert state["ExitCode"] == 0, f"{container}: {self.logs(name)[-3000:]}"
                    break
                if condition == "service_healthy" and state["Running"] and self.healthy(container):
                    break
                assert time.monotonic() < end, f"{container}: {state}\n{self.logs(name)[-3000:]}"
                time.sleep(1)
