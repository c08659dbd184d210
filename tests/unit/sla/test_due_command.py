import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.sla.commands import cli


def _due(tmp_path: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        cli, ["due", *arguments], env={"EXPRESS_DATA": str(tmp_path / "data")} | environment
    )


def test_it_says_what_would_be_promised_without_any_server(tmp_path: Path) -> None:
    done = _due(tmp_path, "--priority", "P3", "--at", "2026-03-04T10:00", "--json")
    assert done.exit_code == 0
    due = json.loads(done.stdout)
    assert due["TRIAGE"] == "2026-03-04T15:30:00+08:00"
    assert due["FIRST_RESPONSE"] == "2026-03-05T10:00:00+08:00"
    assert due["RESOLUTION"] == "2026-03-11T10:00:00+08:00"
    assert done.stderr == ""
    assert not (tmp_path / "data").exists()


def test_an_offset_is_heeded_and_a_type_has_its_own_row(tmp_path: Path) -> None:
    arguments = ("--priority", "P3", "--type", "inquiry", "--department", "reference", "--json")
    done = _due(tmp_path, *arguments, "--at", "2026-03-04T02:00:00Z")
    due = json.loads(done.stdout)
    assert due["RESOLUTION"] == "2026-03-05T10:00:00+08:00"
    assert "ACCEPT" not in due


def test_people_read_a_line_per_clock(tmp_path: Path) -> None:
    done = _due(tmp_path, "--priority", "P1", "--at", "2026-12-31T23:00", EXPRESS_LOCALE="en")
    resolution = next(line for line in done.stdout.splitlines() if line.startswith("RESOLUTION"))
    assert "2027-01-01T23:00:00+08:00" in resolution
    assert "provisional" in resolution


@pytest.mark.parametrize(
    "arguments",
    [
        ["--at", "2026-03-04T10:00"],
        ["--priority", "P5", "--at", "2026-03-04T10:00"],
        ["--priority", "P3"],
        ["--priority", "P3", "--at", "soon"],
        ["--priority", "P3", "--at", "9999-12-31T23:59"],
        ["--priority", "P3", "--type", "rant", "--at", "2026-03-04T10:00"],
        ["--priority", "P3", "--department", "No Where", "--at", "2026-03-04T10:00"],
        ["--priority", "P3", "--department", "nowhere", "--at", "2026-03-04T10:00"],
    ],
)
def test_wrong_input_is_one_line_and_status_two(tmp_path: Path, arguments: list[str]) -> None:
    done = _due(tmp_path, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("--")


def test_a_department_that_there_is_not_is_refused_with_those_that_there_are(
    tmp_path: Path,
) -> None:
    arguments = ("--priority", "P3", "--at", "2026-03-04T10:00", "--department", "nowhere")
    refused = _due(tmp_path, *arguments)
    assert refused.exit_code == 2
    assert "there is no department 'nowhere'; choose from acquisition, catalogue" in refused.stderr
    # One may have been added: while nobody can say so, it is not denied.
    (tmp_path / "data" / "kafka").mkdir(parents=True)
    answered = _due(tmp_path, *arguments)
    assert answered.exit_code == 0
    assert "no broker says whether there is a department 'nowhere'" in answered.stderr
    assert "RESOLUTION" in answered.stdout
