"""`docker compose …` for who follows the documents on the test's engine: only what they use.

`python -m tests.containers compose ps` while the tests run, or after `compose up --build`.
"""

from __future__ import annotations

import subprocess
import sys

from tests.containers.conftest import NOT_HERE, WORKSHOP
from tests.containers.engine import Engine
from tests.containers.images import make_product
from tests.containers.project import Project
from tests.integration.system import ROOT

_FLAGS = {"--wait", "-d", "--no-deps", "--build", "--no-build", "--rm", "-T", "-it", "-i"}
_WITH_VALUE = {"--scale", "--since"}


def main(words: list[str]) -> int:
    if words[:1] != ["compose"]:
        raise SystemExit(f"not known here: docker {' '.join(words)}")
    command, rest = words[1], words[2:]
    flags: dict[str, str] = {}
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag not in _FLAGS | _WITH_VALUE:
            raise SystemExit(f"not known here: docker compose {command} {flag}")
        flags[flag] = rest.pop(0) if flag in _WITH_VALUE else ""
    engine = Engine(WORKSHOP / "engine")
    project = Project(engine, ROOT, WORKSHOP / ".env", without=NOT_HERE)
    if command == "build" or "--build" in flags:
        tag = project.body["services"]["desk"]["image"].partition(":")[2]
        make_product(engine, tag, version=tag)
    match command:
        case "up":
            name, _, count = flags.get("--scale", "").partition("=")
            scale = {name: int(count)} if name else None
            project.up(*rest, scale=scale, no_deps="--no-deps" in flags)
        case "run":
            print(project.run(*rest), end="")
        case "exec":
            container = project.containers(rest[0])[0]
            how = "-it" if "-it" in flags else "-i"
            typed = ["podman", "exec", how, container, *rest[1:]]
            return subprocess.run(typed, env=engine.env).returncode
        case "stop":
            project.stop(*rest)
        case "logs":
            print(project.logs(*rest), end="")
        case "ps":
            print(*project.containers(*rest), sep="\n")
        case "build":
            pass
        case _:
            raise SystemExit(f"not known here: docker compose {command}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
