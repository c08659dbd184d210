"""What goes out after the play stands where the rest does, and in the terminal."""

from __future__ import annotations

import io

import pytest

from services.demo.demonstration import Shown


def test_a_message_is_in_the_file_and_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    shown = Shown(file)
    shown.write("→ reader\n")
    shown.flush()
    assert file.getvalue() == capsys.readouterr().out == "→ reader\n"
