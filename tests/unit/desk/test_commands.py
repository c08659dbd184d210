from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.desk.__main__ import cli
from services.desk.domain import diagram


def test_the_diagram_is_printed() -> None:
    assert CliRunner().invoke(cli, ["diagram"]).stdout.strip() == diagram()


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["create-user", "Wang", "--role", "leader", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "king", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "handler", "--password-stdin"], "long enough"),
        (["create-user", "wang", "--role", "leader", "--password-stdin"], "short"),
        (["create-user", "wang", "--role", "leader"], ""),
        (["create-user", "wang", "--role", "leader", "--email", "x"], "long enough"),
        (["add-department", "Archives!", "档案馆", "Archives"], ""),
        (["add-department", "archives", " ", "Archives"], ""),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], typed: str
) -> None:
    assert CliRunner().invoke(cli, arguments, input=f"{typed}\n").exit_code == 2
