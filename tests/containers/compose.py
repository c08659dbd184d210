"""docker-compose.yml as Docker reads it, in the words of Podman; what it does not know it refuses.

Where the two differ, Docker is followed: a tmpfs is not filled from the image, belongs to root and
cannot be executed from; a read-only root has no writable directories but those that are named.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")
# Read elsewhere: how it is built, when it starts, and whether it is healthy.
_ELSEWHERE = {"build", "depends_on", "healthcheck", "image", "command", "profiles"}


class NotUnderstood(ValueError):
    """The file says something that would be passed over in silence here."""


def interpolated(value: Any, given: dict[str, str]) -> Any:
    """``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` as Compose fills them in."""

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        known = given.get(found["name"], "")
        if not known and found["kind"] == ":?":
            raise KeyError(f"{found['name']}: {found['rest']}")
        return known or (found["rest"] if found["kind"] == ":-" else "")

    if isinstance(value, dict):
        return {key: interpolated(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, given) for one in value]
    return _VARIABLE.sub(fill, value) if isinstance(value, str) else value


def read(path: Path, given: dict[str, str]) -> dict[str, Any]:
    """The file with its variables filled in."""
    body: dict[str, Any] = interpolated(yaml.safe_load(path.read_text()), given)
    return body


def read_env(path: Path) -> dict[str, str]:
    """``.env`` as Compose reads it: no quotes needed, comments whole lines."""
    pairs = re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE)
    return {name: value.strip().strip("'\"") for name, value in pairs}


def seconds(words: str) -> float:
    """Of ``90s`` or ``2m``."""
    number, unit = float(words[:-1]), words[-1]
    return number * {"s": 1, "m": 60, "h": 3600}[unit]


def in_order(body: dict[str, Any], wanted: list[str]) -> list[str]:
    """The wanted services after what they depend on, directly or not."""
    done: list[str] = []

    def take(name: str) -> None:
        for needed in body["services"][name].get("depends_on", {}):
            take(needed)
        if name not in done:
            done.append(name)

    for name in wanted:
        take(name)
    return done


def network_words(body: dict[str, Any], name: str) -> list[str]:
    """Options of ``podman network create``."""
    words: list[str] = []
    network = dict(body["networks"][name])
    for one in network.pop("ipam", {}).get("config", []):
        for key, value in one.items():
            words += [{"subnet": "--subnet", "ip_range": "--ip-range"}[key], value]
    _nothing_left(network, f"networks/{name}")
    return words


def container_words(body: dict[str, Any], name: str, root: Path) -> list[str]:
    """Options of ``podman create`` for a service, without its name, image and command."""
    service = body["services"][name]
    words: list[str] = []
    for key, value in service.items():
        if key in _ELSEWHERE:
            continue
        if key not in _OPTIONS:
            raise NotUnderstood(f"services/{name}/{key}")
        words += _OPTIONS[key](body, name, value, root)
    return words


def health_of(service: dict[str, Any]) -> list[str]:
    """The command that is run in the container to ask how it is."""
    kind, *words = service["healthcheck"]["test"]
    return {"CMD": words, "CMD-SHELL": ["sh", "-c", *words]}[kind]


def command_of(service: dict[str, Any]) -> list[str]:
    command = service.get("command", [])
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def _tmpfs(mounts: list[str]) -> Iterator[str]:
    for mount in mounts:
        path, _, options = mount.partition(":")
        yield from ("--tmpfs", f"{path}:{options + ',' if options else ''}noexec,notmpcopyup")


def _volumes(body: dict[str, Any], volumes: list[str], root: Path) -> Iterator[str]:
    for volume in volumes:
        source, _, rest = volume.partition(":")
        where = f"{body['name']}_{source}" if source in body["volumes"] else root / source
        yield from ("-v", f"{where}:{rest}")


def _networks(body: dict[str, Any], name: str, networks: Any) -> Iterator[str]:
    for network in networks:
        more = dict(networks[network] or {}) if isinstance(networks, dict) else {}
        address = f",ip={more.pop('ipv4_address')}" if "ipv4_address" in more else ""
        aliases = "".join(f",alias={alias}" for alias in (name, *more.pop("aliases", [])))
        _nothing_left(more, f"services/{name}/networks/{network}")
        yield from ("--network", f"{body['name']}_{network}:{(address + aliases)[1:]}")


def _logging(value: dict[str, Any]) -> Iterator[str]:
    assert value["driver"] == "json-file"
    yield from ("--log-driver", "k8s-file", "--log-opt", f"max-size={value['options']['max-size']}")


def _plain(option: str) -> Any:
    return lambda _body, _name, value, _root: [option, str(value)]


_OPTIONS: dict[str, Any] = {
    "environment": lambda _b, _n, value, _r: [
        word for key, one in value.items() for word in ("-e", f"{key}={one}")
    ],
    "init": lambda _b, _n, value, _r: ["--init"] * value,
    "read_only": lambda _b, _n, value, _r: ["--read-only", "--read-only-tmpfs=false"] * value,
    "tmpfs": lambda _b, _n, value, _r: list(_tmpfs(value)),
    "cap_drop": lambda _b, _n, value, _r: [f"--cap-drop={one}" for one in value],
    "security_opt": lambda _b, _n, value, _r: [
        f"--security-opt={one.removesuffix(':true')}" for one in value
    ],
    "logging": lambda _b, _n, value, _r: list(_logging(value)),
    "restart": _plain("--restart"),
    "stop_grace_period": lambda _b, _n, value, _r: [f"--stop-timeout={int(seconds(value))}"],
    "networks": lambda body, name, value, _r: list(_networks(body, name, value)),
    "volumes": lambda body, _n, value, root: list(_volumes(body, value, root)),
    "ports": lambda _b, _n, value, _r: [word for port in value for word in ("-p", port)],
    "user": _plain("--user"),
    "shm_size": _plain("--shm-size"),
    "mem_limit": _plain("--memory"),
    "pids_limit": _plain("--pids-limit"),
}


def fingerprint(words: list[str], image: str) -> str:
    """Changes when a container has to be made anew."""
    return hashlib.sha256(json.dumps([words, image]).encode()).hexdigest()[:16]


def _nothing_left(values: dict[str, Any], where: str) -> None:
    if values:
        raise NotUnderstood(f"{where}: {', '.join(values)}")
