"""What `python -m services status` prints for people."""

from __future__ import annotations

import pytest

from services.__main__ import _print_status
from shared.messaging.dead_letters import warning


def test_a_command_to_type_stands_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    case = "0199aa11-2b3c-7d4e-8f50-61728394a5b6"
    quiet = {"ready": True, "lag": 0, "outbox": {"waiting": 0}, "dead_letters": 0, "parked": 0}
    stands_still = quiet | {"dead_letters": 1, "parked": 3, "reason": warning("sla", 1, 3, [case])}
    services = {"desk": quiet | {"reason": ""}, "sla": stands_still}
    at = {"web": "http://127.0.0.1:8080", "kafka": "embedded", "database": "embedded"}
    _print_status(at | {"embeddings": {}, "reasons": [], "services": services})
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("sla: dead letters: 1 events refused")
    assert last.endswith(f"python -m services.sla redrive {case}")
