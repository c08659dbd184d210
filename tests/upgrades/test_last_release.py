"""Finding the release before in a history, whatever the history looks like."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upgrades.last_release import ReleaseMissing, commit_of

Repository = Callable[..., str]


@pytest.fixture
def commit(tmp_path: Path) -> Repository:
    """Commits into a repository in `tmp_path`; gives the commit."""
    stated = tmp_path / "shared" / "release.py"
    stated.parent.mkdir()

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.edu", *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(release: int | None = None) -> str:
        if release is not None:
            stated.write_text(f'"""Which."""\n\nRELEASE = {release}\n')
            git("add", ".")
        git("commit", "--allow-empty", "-m", "something")
        return git("rev-parse", "HEAD")

    git("init", "-q")
    commit()
    return commit


def test_it_is_the_last_commit_that_says_so(commit: Repository, tmp_path: Path) -> None:
    commit(1)
    commit(2)
    commit()
    last = commit()
    commit(3)
    commit()
    assert commit_of(2, tmp_path) == last


def test_it_is_the_newest_where_the_next_one_is_not_committed_yet(
    commit: Repository, tmp_path: Path
) -> None:
    commit(1)
    last = commit()
    assert commit_of(1, tmp_path) == last


def test_a_history_that_does_not_reach_it_is_said(commit: Repository, tmp_path: Path) -> None:
    commit(3)
    with pytest.raises(ReleaseMissing, match="unshallow"):
        commit_of(2, tmp_path)


def test_a_folder_without_git_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReleaseMissing, match="a clone"):
        commit_of(2, tmp_path)
