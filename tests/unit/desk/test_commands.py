from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.desk.api.described import table
from services.desk.commands import cli
from services.desk.commands.listed import check_known
from services.desk.domain import diagram


def test_the_diagram_and_the_actions_are_printed() -> None:
    assert CliRunner().invoke(cli, ["diagram"]).stdout.strip() == diagram()
    assert CliRunner().invoke(cli, ["actions"]).stdout.strip() == table()


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["create-user", "wang li", "--role", "leader", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "king", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "handler", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "leader", "--password-stdin"], "short"),
        (["create-user", "wang", "--role", "leader"], ""),
        (["create-user", "wang", "--role", "leader", "--email", "x"], "long enough"),
        (["add-department", "Archives!", "档案馆", "Archives"], ""),
        (["add-department", "archives", " ", "Archives"], ""),
        (["add-department", "archives"], ""),
        (["add-category", "maps", "舆图", "Maps"], ""),
        (["add-category", "maps", "--close", "--rule", "第 7 条"], ""),
        (["set-roles", "wang", "--role", "king"], ""),
        (["set-roles", "wang"], ""),
        (["away", "wang", "--until", "next week"], ""),
        (["away", "wang"], ""),
        (["require-review"], ""),
        (["require-review", "--priority", "P9"], ""),
        (["require-review", "--priority", "P1", "--category", "seats"], ""),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], typed: str
) -> None:
    assert CliRunner().invoke(cli, arguments, input=f"{typed}\n").exit_code == 2


def test_a_code_that_there_is_not_is_named_with_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_known("space", ["space", "it"])
    with pytest.raises(SystemExit) as refused:
        check_known("spcae", ["space", "it"])
    assert refused.value.code == 2
    assert "no 'spcae'; choose from it, space" in capsys.readouterr().err
