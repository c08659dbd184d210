"""A case made again of its own events is the case that emitted them."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.desk.domain import (
    TRANSITIONS,
    Action,
    ActionInput,
    Case,
    Extension,
    Incident,
    Part,
    Review,
    SplitPart,
    advance,
)
from services.desk.domain.recollecting import recollected
from services.desk.handlers.recollect import OWN
from shared.contracts import REGISTER, Actor
from shared.contracts.desk import CaseClosed, CaseEvent, CaseExtensionGranted, CaseRequestRefused
from shared.contracts.refusal import Refusal
from shared.contracts.vocabulary import CaseType, Outcome, Priority, RefusalReason, State

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
CASE = Case(
    feedback_id="f1",
    department="it",
    category="wifi",
    case_type=CaseType.INQUIRY,
    priority=Priority.P3,
    assignee="han",
    assignee_name="Han",
    returned_by=("space",),
    replied_at=NOW - timedelta(days=1),
    waiting_since=NOW - timedelta(days=1),
    parts=(Part(department="reference", question="?"),),
    extension=Extension(until=NOW + timedelta(days=3), reason="because", by="han", asked_at=NOW),
    review=Review(by="li", at=NOW, text="words", outcome=Outcome.SOLVED),
    version=7,
)
GIVEN = ActionInput(
    department="space",
    to="li",
    to_display="Li",
    text="words",
    reason="because",
    outcome=Outcome.SOLVED,
    words_id="w1",
    title="title",
    waiting_for="somebody",
    until=NOW + timedelta(days=9),
    into="f2",
    other="f2",
    incident=Incident(incident_id="i", title="t", text="x"),
    parts=(SplitPart(feedback_id="a", text="x"), SplitPart(feedback_id="b", text="y")),
)
ROLES = ("coordinator", "liaison", "handler", "reviewer", "leader", "reporter", "system")


def actor(role: str) -> Actor:
    if role in ("reporter", "system"):
        return Actor(kind=role)
    return Actor(kind="staff", name="han", display="Han", role=role, department="it")


MADE_OF_THEIR_CAUSE = {Action.SUPPLEMENT, Action.REQUEST_REOPENING}
"""Their cause is read again too, and brings what the event does not say."""
ONLY_HERE = {"review", "extension", "version"}
"""Words of a draft, the answer to who asked for more time: they were never told."""


@pytest.mark.parametrize(
    ("state", "action"), [pair for pair in TRANSITIONS if pair[1] not in MADE_OF_THEIR_CAUSE]
)
def test_what_an_action_made_of_a_case_is_in_its_events(state: State, action: Action) -> None:
    for role, owed in itertools.product(ROLES, (NOW, None)):
        case = replace(CASE, state=state, words_owed_since=owed)
        try:
            change = advance(case, action, GIVEN, by=actor(role), at=NOW)
        except Refusal:
            continue
        made, whole = case, True
        for event in change.events:
            assert isinstance(event, CaseEvent)
            made, known = recollected(made, event)
            whole = whole and known
        if change.events:
            assert whole
            told = {f.name: getattr(change.case, f.name) for f in fields(Case)}
            assert {n: getattr(made, n) for n in told if n not in ONLY_HERE} == {
                n: v for n, v in told.items() if n not in ONLY_HERE
            }


def test_a_refusal_changes_no_state_and_a_rating_is_remembered() -> None:
    case = replace(CASE, state=State.REPLIED)
    refused = CaseRequestRefused(
        feedback_id="f1",
        at=NOW,
        state=State.REPLIED,
        request="feedback.rated",
        reason=RefusalReason.NOT_POSSIBLE_NOW,
    )
    assert recollected(case, refused) == (case, True)
    assert recollected(case, CaseClosed(feedback_id="f1", at=NOW, how="rated"))[0].rated


def test_of_what_cannot_be_made_again_the_state_is_known_and_said_to_be_all() -> None:
    granted = CaseExtensionGranted(
        feedback_id="f1", at=NOW, state=State.IN_PROGRESS, until=NOW, reason="because"
    )
    made, whole = recollected(replace(CASE, state=State.ACCEPTED, extension=None), granted)
    assert (made.state, whole) == (State.IN_PROGRESS, False)


def test_every_event_of_desk_is_recollected() -> None:
    own = {c for c in REGISTER.values() if c.owner == "desk"}
    not_kept = {"directory.session_revoked.v1", "private.reply_words_erased.v1"}
    not_kept |= {"private.erased_by_desk.v1"}
    not_kept |= {"directory.session_forgotten.v1", "directory.sessions_ended.v1"}
    assert {c.type for c in own - OWN.keys()} <= not_kept
