"""No event that everybody reads has a place for personal data."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from schemas import corpus
from schemas.events import nested_models
from shared.contracts import DIRECTORY, EVENTS, REGISTER, REPORTER, SYSTEM, Event
from shared.contracts.intake import Contact, PrivateDetails
from shared.privacy import mask

PERSONAL = re.compile(
    r"contact|e_?mail|phone|mobile|tel\b|wechat|openid|open_id|address|student|identity|id_card"
    r"|passport|birth|gender|real_?name|full_?name|nick|reporter|on_behalf_of|tracking_code"
    r"|password|secret|\bip\b|user_agent"
)
ALLOWED = {
    ("PersonListed", "email"),
    ("FeedbackReceived", "reporter_group"),
    ("CaseSplitOff", "reporter_group"),
}
"""A member of staff has an office address; it stands in the directory on purpose. A group says
whom the reporter is one of, not who."""
READ_BY_ALL = [f for f in REGISTER.values() if f.topic in (EVENTS, DIRECTORY)]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, object]]:
    for m in (model, *nested_models(model)):
        for name, field in m.model_fields.items():
            yield m.__name__, name, field.annotation


def _suspicious(model: type[BaseModel]) -> set[tuple[str, str]]:
    return {(m, name) for m, name, _ in _fields(model) if PERSONAL.search(name)} - ALLOWED


@pytest.mark.parametrize("event", READ_BY_ALL, ids=lambda f: f.type)
def test_no_field_asks_for_personal_data(event: type[Event]) -> None:
    assert _suspicious(event) == set()
    assert Contact not in set(nested_models(event))


@pytest.mark.parametrize("event", READ_BY_ALL, ids=lambda f: f.type)
def test_no_field_takes_whatever_it_is_given(event: type[Event]) -> None:
    free = [name for _, name, kind in _fields(event) if "dict" in str(kind) or "Any" in str(kind)]
    assert free == []


def test_the_look_for_suspicious_fields_finds_some() -> None:
    assert {name for _, name in _suspicious(PrivateDetails)} >= {
        "tracking_code",
        "contact",
        "email",
        "phone",
        "wechat_openid",
        "on_behalf_of",
    }


def test_a_reporter_who_acts_has_no_name() -> None:
    assert REPORTER.model_dump(exclude_none=True) == {"kind": "reporter"}
    assert SYSTEM.model_dump(exclude_none=True) == {"kind": "system"}


def test_the_examples_of_what_all_read_are_masked_already() -> None:
    for example in corpus.examples():
        if example.topic == EVENTS and example.body is not None:
            for name in ("text", "title", "reason", "comment", "question"):
                said = example.body.get(name) or ""
                assert mask(said) == said, example.path
