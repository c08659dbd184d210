"""An identifier tells when it was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.ids import made_since, new_id


def test_an_identifier_tells_when_it_was_made() -> None:
    now = datetime.now(UTC)
    assert made_since(new_id(), now - timedelta(seconds=1))
    assert not made_since(new_id(), now + timedelta(minutes=1))
    assert not made_since("no identifier", now)
