"""A no at the entry point always has words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.later import Action, Standing, check, reason_against
from shared.contracts.refusal import Conflict
from shared.contracts.rights import Asked, CaseStanding, Rights
from shared.contracts.vocabulary import RefusalReason, State

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
NOTHING = Rights(supplement=False, urge=False, withdraw=False)
EVERYTHING = Rights(rate=True, appeal=True, reopen_until=NOW + timedelta(days=15))


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("rights", [Rights(), NOTHING, EVERYTHING])
@pytest.mark.parametrize("pending", [(), ("rate",), ("reopen",), ("withdraw",), ("appeal",)])
def test_a_no_always_has_words_in_both_languages(
    action: Action, state: State, rights: Rights, pending: tuple[Action, ...]
) -> None:
    standing = Standing(state, rights, Asked(pending=pending, urged_at=NOW))
    why = reason_against(action, standing, NOW)
    if why is None:
        check(action, standing, NOW)
        return
    zh, en = why
    assert zh != en
    assert en.isascii()
    with pytest.raises(Conflict) as refused:
        check(action, standing, NOW)
    assert action not in (refused.value.allowed or [])


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        (Rights(), "no reply yet"),
        (Rights(reopen_refused=RefusalReason.TOO_OFTEN), "more than once"),
        (Rights(reopen_until=NOW - timedelta(seconds=1)), "too long ago"),
    ],
)
def test_why_it_is_not_reopened_is_said(rights: Rights, words: str) -> None:
    why = reason_against(Action.REOPEN, Standing(State.REPLIED, rights), NOW)
    assert why is not None
    assert words in why[1]


def test_a_rating_that_desk_has_not_seen_is_a_rating() -> None:
    standing = Standing(State.CLOSED, EVERYTHING, Asked(pending=(Action.RATE,)))
    why = reason_against(Action.RATE, standing, NOW)
    assert why is not None
    assert "already" in why[1]


OVER = {"supplement": False, "urge": False, "withdraw": False}
ANSWERED = Rights(urge=False, withdraw=False, standing=CaseStanding.ANSWERED, answered=True)


def refused(action: str, state: State, rights: Rights, pending: tuple[Action, ...] = ()) -> str:
    """The words, in one line with what is possible instead."""
    with pytest.raises(Conflict) as why:
        check(Action(action), Standing(state, rights, Asked(pending=pending)), NOW)
    assert why.value.allowed is not None
    return f"{why.value.en} {why.value.allowed}"


@pytest.mark.parametrize("action", ["supplement", "reopen", "appeal", "rate", "urge"])
def test_what_a_leader_let_stand_is_refused_finally_in_all_words(action: str) -> None:
    rejected = Rights(**OVER, standing=CaseStanding.REJECTED, appeal_dismissed=True)
    said = refused(action, State.CLOSED, rejected)
    assert "final" in said
    assert "reopen" not in said
    assert "no reply" not in said


def test_a_rejection_points_to_the_appeal_while_there_is_one() -> None:
    rejected = Rights(**OVER | {"supplement": True}, standing=CaseStanding.REJECTED, appeal=True)
    said = refused("reopen", State.REJECTED, rejected)
    assert "not taken on" in said
    assert "ask a leader" in said


@pytest.mark.parametrize("action", list(Action))
def test_of_spam_is_said_how_to_write_anew(action: Action) -> None:
    said = refused(action, State.SPAM, Rights(**OVER, standing=CaseStanding.SPAM))
    assert "new comment" in said
    assert "reopen" not in said


def test_a_joined_case_that_was_answered_is_not_said_to_have_no_reply() -> None:
    joined = Rights(urge=False, standing=CaseStanding.JOINED, answered=True)
    for action in ("reopen", "appeal"):
        said = refused(action, State.MERGED, joined)
        assert "no reply" not in said
        assert "Please add" in said
        assert "supplement" in said
    assert "already" in refused("rate", State.MERGED, joined)
    waiting = joined.model_copy(update={"answered": False})
    assert "no reply yet" in refused("rate", State.MERGED, waiting)


def test_of_a_whole_that_was_split_its_parts_are_rated() -> None:
    split = Rights(**OVER, standing=CaseStanding.SPLIT)
    assert "rate each" in refused("rate", State.MERGED, split)
    assert "choose one" in refused("reopen", State.MERGED, split)


def test_what_is_reopened_no_more_points_to_what_is_left() -> None:
    often = ANSWERED.model_copy(update={"reopen_refused": RefusalReason.TOO_OFTEN, "appeal": True})
    assert "ask a leader" in refused("reopen", State.REPLIED, often)
    final = often.model_copy(update={"appeal": False, "appeal_dismissed": True})
    assert "final" in refused("reopen", State.CLOSED, final)
    late = ANSWERED.model_copy(update={"reopen_until": NOW - timedelta(seconds=1)})
    assert "ask a leader" in refused("reopen", State.CLOSED, late)
    told = late.model_copy(update={"appeal_dismissed": True})
    assert "new comment" in refused("reopen", State.CLOSED, told)


def test_an_appeal_is_refused_with_what_is_true() -> None:
    first = ANSWERED.model_copy(update={"reopen_until": NOW + timedelta(days=1)})
    assert "reopen it" in refused("appeal", State.REPLIED, first)
    assert "final" in refused(
        "appeal", State.CLOSED, first.model_copy(update={"appeal_dismissed": True})
    )
    assert "no result yet" in refused("appeal", State.IN_PROGRESS, Rights())


def test_urging_what_is_answered_names_reopening_only_where_it_is_possible() -> None:
    possible = ANSWERED.model_copy(update={"reopen_until": NOW + timedelta(days=1)})
    assert "reopen it" in refused("urge", State.REPLIED, possible)
    assert "reopen it" not in refused("urge", State.REPLIED, ANSWERED)


def test_what_was_taken_back_is_called_so() -> None:
    assert "took it back" in refused("urge", State.WITHDRAWN, Rights(**OVER))
    assert "took it back" in refused("urge", State.TRIAGE, Rights(), (Action.WITHDRAW,))
