"""Codes as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.desk.wording import fields, labels
from services.sla.wording.pages import row_name
from services.tracking.wording.journey import PROMISES
from services.tracking.wording.messages import LOCALES as OF_TRACKING
from shared.contracts import vocabulary
from shared.contracts.vocabulary import Priority
from shared.web import catalogue, names
from shared.web.field_words import FIELD_NAMES

TABLES = [
    ("outcome", names.OUTCOMES, names.LOCALES),
    ("type", names.TYPES, names.LOCALES),
    ("priority", names.PRIORITIES, names.LOCALES),
    ("channel", names.CHANNELS, names.LOCALES),
    ("group", names.GROUPS, names.LOCALES),
    ("queue", labels.QUEUES, labels.LOCALES),
    ("clock_status", labels.CLOCK_STATUS, labels.LOCALES),
    ("decider", labels.DECIDERS, labels.LOCALES),
    ("action", labels.ACTIONS, labels.LOCALES),
    ("job", labels.JOBS, labels.LOCALES),
    ("reading", labels.READINGS, labels.LOCALES),
    ("found", labels.FOUND, labels.LOCALES),
    (None, labels.PARTS, labels.LOCALES),
    ("field", fields.FIELDS, labels.LOCALES),
    ("field", FIELD_NAMES, names.LOCALES),
    ("yes_no", fields.YES_NO, labels.LOCALES),
    ("solved", fields.SOLVED, labels.LOCALES),
    (None, PROMISES, OF_TRACKING),
]


@pytest.mark.parametrize(
    ("kind", "table", "locales"), TABLES, ids=[str(kind) for kind, *_ in TABLES]
)
def test_every_name_is_translated(
    kind: str | None, table: Mapping[str, str], locales: Path
) -> None:
    english = catalogue.load([locales], "en")
    assert [zh for zh in table.values() if catalogue.in_context(kind, zh) not in english] == []


def test_one_word_may_be_two_things() -> None:
    clock = names.clock_name("ACCEPT", "en")
    action = names.pick("action", labels.ACTIONS, "accept", "en", labels.LOCALES)
    assert (clock, action) == ("Acceptance", "Accept")


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert names.clock_name("NEW", "en") == "NEW"
    assert names.clock_name(None) == ""
    assert names.pick("type", names.TYPES, "new", "en") == "new"
    assert names.pick("type", names.TYPES, None, "zh") == ""
    assert names.state_name("NEW") == "NEW"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_code_of_the_vocabulary_has_a_name(locale: str) -> None:
    for state in vocabulary.State:
        assert names.state_name(state, locale) not in ("", state.value)
    for clock in vocabulary.Clock:
        assert names.clock_name(clock, locale) not in ("", clock.value)


def test_a_catalogue_is_read_and_merged_once_however_many_words_are_asked_for() -> None:
    assert catalogue.load([names.LOCALES], "en") is catalogue.load([names.LOCALES], "en")


def test_a_priority_has_one_name_on_every_page_and_it_is_no_type() -> None:
    for locale in ("zh", "en"):
        called = {p: names.pick("priority", names.PRIORITIES, p, locale) for p in Priority}
        types = {names.pick("type", names.TYPES, t, locale) for t in names.TYPES}
        assert len(set(called.values())) == len(Priority)
        assert not types & set(called.values())
        for code, said in called.items():
            assert row_name(code, locale) == f"{code} {said}"
