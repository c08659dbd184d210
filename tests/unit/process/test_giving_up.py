"""A service that cannot go on ends its process, for a supervisor to start again."""

from __future__ import annotations

import pytest

from shared.messaging.failures import TOO_MANY_REFUSED
from shared.process import Process
from shared.settings import Settings


def test_the_process_ends_with_its_status_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    process = Process(Settings(), dict, whole=False)
    process._give_up("desk: 21 events refused in a row", TOO_MANY_REFUSED)
    assert process._stop.is_set()
    assert process._status == TOO_MANY_REFUSED
    assert capsys.readouterr().err == "stopping: desk: 21 events refused in a row\n"
