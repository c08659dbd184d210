"""Notes of running processes: left, read, and never believed of the dead."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from shared.running import note_of, running
from shared.settings import Settings

LEAVES_A_NOTE = (
    "import sys\n"
    "from pathlib import Path\n"
    "from shared.running import note_of\n"
    "from shared.settings import Settings\n"
    "settings = Settings(data=Path(sys.argv[1]), host='0.0.0.0', port=8181, base_url='http://x')\n"
    "with note_of(settings, ['desk']):\n"
    "    print('here', flush=True)\n"
    "    sys.stdin.read()\n"
)


def process(data: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", LEAVES_A_NOTE, str(data), "services.desk"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    return child


def test_a_process_is_known_while_it_runs_under_its_own_address(tmp_path: Path) -> None:
    child = process(tmp_path)
    assert running(tmp_path) == [
        {"pid": child.pid, "url": "http://127.0.0.1:8181", "services": ["desk"]}
    ]
    child.communicate()
    assert running(tmp_path) == []
    assert list((tmp_path / "run").iterdir()) == []


def test_the_note_of_a_killed_process_is_ignored_and_cleared_away_by_the_next(
    tmp_path: Path,
) -> None:
    killed = process(tmp_path)
    killed.kill()
    killed.communicate()
    assert (tmp_path / "run" / f"{killed.pid}.json").exists()
    assert running(tmp_path) == []
    following = process(tmp_path)
    assert [note["pid"] for note in running(tmp_path)] == [following.pid]
    assert not (tmp_path / "run" / f"{killed.pid}.json").exists()
    following.communicate()


def test_a_number_that_went_to_another_program_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    other = subprocess.Popen(["sleep", "60"])
    try:
        note = {"pid": other.pid, "url": "http://127.0.0.1:8080", "services": ["desk"]}
        (tmp_path / "run" / f"{other.pid}.json").write_text(json.dumps(note))
        (tmp_path / "run" / "broken.json").write_text("{")
        assert running(tmp_path) == []
    finally:
        other.kill()
        other.wait()


def test_a_directory_that_cannot_be_written_costs_the_note_only() -> None:
    nowhere = Path("/proc/self/fx")
    with note_of(Settings(data=nowhere), ["desk"]):
        assert running(nowhere) == []
