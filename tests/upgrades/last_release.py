"""The code of the release before this one, as it stands in git."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from shared.release import RELEASE

ROOT = Path(__file__).parents[2]
_STATED = "shared/release.py"
"""The file that says which release a commit belongs to."""
_VENDOR = Path("shared/web/static/vendor")


class ReleaseMissing(Exception):
    """The history that is here does not reach it."""


@dataclass(frozen=True)
class LastRelease:
    """A folder with the code of the release before; it runs with this environment's packages."""

    commit: str
    folder: Path

    def names(self) -> dict[str, set[str]]:
        """The tables and columns (``table.column``) each service's code names."""
        command = [sys.executable, "-c", _NAMES]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=True, text=True)
        return {name: set(found) for name, found in json.loads(done.stdout).items()}


_NAMES = """
import json
from pathlib import Path
from services.__main__ import builds
from shared.process import runtime_for
from shared.settings import Settings

settings = Settings(data=Path("data"), secret="a secret for tests only")
runtime = runtime_for(settings, "postgresql:///", "127.0.0.1:1")
found = {name: build(runtime).metadata.tables for name, build in builds().items()}
print(json.dumps({
    name: [*tables, *(f"{t}.{c.name}" for t, table in tables.items() for c in table.columns)]
    for name, tables in found.items()
}))
"""


def unpack(folder: Path) -> LastRelease:
    """Put the code of the release before this one into `folder`."""
    commit = commit_of(RELEASE - 1)
    with tarfile.open(fileobj=io.BytesIO(_git(ROOT, "archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    # Installed, not committed, like the packages.
    (folder / _VENDOR).symlink_to(ROOT / _VENDOR)
    return LastRelease(commit, folder)


def commit_of(release: int, root: Path = ROOT) -> str:
    """The newest commit that says it is this release. `ReleaseMissing` where there is none."""
    try:
        changes = _git(root, "log", "--first-parent", "--format=%H", "--", _STATED).decode().split()
        for commit in ("HEAD", *(f"{changed}^" for changed in changes)):
            if _stated(root, commit) == release:
                return _git(root, "rev-parse", commit).decode().strip()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise ReleaseMissing(
            f"release {release} is taken from git: this needs git and a clone ({error})"
        ) from None
    raise ReleaseMissing(
        f"no commit here says it is release {release} in {_STATED}: a shallow clone needs "
        "git fetch --unshallow; a squashed history has lost it"
    )


def _stated(root: Path, commit: str) -> int | None:
    try:
        text = _git(root, "show", f"{commit}:{_STATED}").decode()
    except subprocess.CalledProcessError:
        return None
    found = re.search(r"^RELEASE = (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


def _git(root: Path, *arguments: str) -> bytes:
    # Whoever owns the clone: what is read here is what is being tested anyhow.
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout
