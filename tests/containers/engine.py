"""Podman with a configuration and a storage of its own: nothing of the machine's is changed."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
    "/usr/libexec/podman/catatonit": "catatonit",
}
"""What must be there → Debian's package."""


class CommandFailed(AssertionError):
    """A command of the engine ended with another status than 0."""

    def __init__(self, command: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> None:
        self.status = done.returncode
        said = (done.stdout + done.stderr)[-4000:]
        super().__init__(f"{' '.join(command)[:400]} ended with {done.returncode}:\n{said}")


class Engine:
    """The container engine of one directory."""

    def __init__(self, directory: Path) -> None:
        missing = [package for file, package in PACKAGES.items() if not shutil.which(file)]
        assert not missing, f"needed here: apt-get install {' '.join(missing)}"
        assert os.geteuid() == 0, "containers are started as root here"
        directory.mkdir(parents=True, exist_ok=True)
        known = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:8]
        open_files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
        processes = min(resource.getrlimit(resource.RLIMIT_NPROC)[1], 16_384)
        # crun and systemd's cgroups are what an engine takes first, and not every machine has.
        configuration = {
            "containers": {
                "default_ulimits": [
                    f"nofile={open_files}:{open_files}",
                    f"nproc={processes}:{processes}",
                ],
                "log_driver": "k8s-file",
            },
            "engine": {
                "runtime": "runc",
                "cgroup_manager": "cgroupfs",
                "events_logger": "file",
            },
            "network": {
                "network_backend": "netavark",
                "network_config_dir": str(directory / "networks"),
            },
        }
        storage = {
            "storage": {
                "driver": "overlay",
                "graphroot": str(directory / "storage"),
                "runroot": f"/run/feedback-express-{known}",
            }
        }
        for name, content in (("containers.conf", configuration), ("storage.conf", storage)):
            (directory / name).write_text(_toml(content))
        # What has no host in its name is Docker Hub's, as for Docker; but nothing is ever pulled.
        (directory / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]')
        self.directory = directory
        self.env = dict(os.environ) | {
            "CONTAINERS_CONF": str(directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
        }

    def podman(
        self, *words: str, input: bytes | None = None, timeout: float = 120, check: bool = True
    ) -> str:
        """What the command printed. Raises CommandFailed."""
        done = subprocess.run(
            ("nice", "podman", *words),
            input=input,
            capture_output=True,
            env=self.env,
            timeout=timeout,
        )
        told = subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )
        if check and done.returncode:
            raise CommandFailed(("podman", *words), told)
        return told.stdout

    def exists(self, kind: str, name: str) -> bool:
        """Whether there is such a container, image, network or volume."""
        done = subprocess.run(("podman", kind, "exists", name), env=self.env)
        return done.returncode == 0

    def inspect(self, container: str) -> dict[str, Any]:
        (found,) = json.loads(self.podman("container", "inspect", container))
        return dict(found)


def _toml(content: dict[str, dict[str, Any]]) -> str:
    """JSON's strings and lists are TOML's too."""
    return "".join(
        f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in pairs.items())
        for section, pairs in content.items()
    )
