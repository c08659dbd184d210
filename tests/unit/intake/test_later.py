"""What a reporter may do, by phase."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.later import Action, Phase, Standing, allowed, check, obstacle
from shared.contracts.refusal import Conflict

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
ANSWERED = Standing(Phase.REPLIED, replies=1, replied_at=NOW)


@pytest.mark.parametrize(
    ("standing", "possible"),
    [
        (Standing(), "supplement urge withdraw"),
        (Standing(urged_at=NOW), "supplement withdraw"),
        (ANSWERED, "supplement rate reopen withdraw"),
        (replace(ANSWERED, rated=1), "supplement reopen withdraw"),
        (replace(ANSWERED, phase=Phase.CLOSED), "rate reopen"),
        (replace(ANSWERED, phase=Phase.CLOSED, rated=1), "reopen"),
        (replace(ANSWERED, asked="reopen"), "supplement urge withdraw"),
        (replace(ANSWERED, reopened=2), "supplement rate withdraw"),
        (Standing(Phase.CLOSED), ""),
        (Standing(Phase.REJECTED), ""),
        (Standing(Phase.ENDED), ""),
        (replace(ANSWERED, asked="withdraw"), ""),
    ],
)
def test_each_phase_has_its_rights(standing: Standing, possible: str) -> None:
    assert allowed(standing, NOW) == possible.split()


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("asked", [None, "reopen", "withdraw"])
def test_a_no_always_has_words_in_both_languages(
    action: Action, phase: Phase, asked: str | None
) -> None:
    standing = Standing(phase, asked=asked)
    why = obstacle(action, standing, NOW)
    if why is None:
        check(action, standing, NOW)
        return
    zh, en = why
    assert zh != en
    assert en.isascii()
    with pytest.raises(Conflict) as refused:
        check(action, standing, NOW)
    assert action not in (refused.value.allowed or [])


def test_the_window_is_counted_from_the_reply() -> None:
    closed = replace(ANSWERED, phase=Phase.CLOSED)
    assert obstacle(Action.REOPEN, closed, NOW + timedelta(days=15)) is None
    assert obstacle(Action.REOPEN, closed, NOW + timedelta(days=15, seconds=1)) is not None


def test_a_new_reply_may_be_rated_anew() -> None:
    assert obstacle(Action.RATE, replace(ANSWERED, replies=2, rated=1), NOW) is None
