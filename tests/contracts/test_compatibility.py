"""What was released stays true: the check itself, on made-up changes, and the schemas of today."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.__main__ import NUMBER, RELEASED, released
from schemas.compatibility import breaks
from schemas.events import schemas
from shared.contracts.lenient import AnyOutcome
from shared.contracts.vocabulary import Solved
from shared.release import RELEASE

Schema = dict[str, Any]
Change = Callable[[Schema], Any]


class Inner(BaseModel):
    name: str
    note: str | None = None


class Made(BaseModel):
    text: str
    count: int = 0
    place: str | None = None
    solved: Solved
    outcome: AnyOutcome
    inner: Inner
    several: tuple[Inner, ...] = ()
    words: dict[str, str] = {}
    usual: Inner = Inner(name="usual")


EVENT = Made.model_json_schema() | {
    "x-type": "made.up.v1",
    "x-owner": "desk",
    "x-topic": "feedback.events",
}
INBOUND = {k: v for k, v in EVENT.items() if not k.startswith("x-")}


def found(change: Change, old: Schema = EVENT) -> list[str]:
    new = copy.deepcopy(old)
    change(new)
    return breaks({"it": old}, {"it": new})


def _required(name: str) -> Change:
    return lambda s: (
        s["properties"].update({name: {"type": "string"}}),
        s["required"].append(name),
    )


def _set(path: str, **more: Any) -> Change:
    def change(schema: Schema) -> None:
        part = schema
        for step in path.split("."):
            part = part[step]
        part.update(more)

    return change


def _drop(path: str) -> Change:
    def change(schema: Schema) -> None:
        *way, last = path.split(".")
        part = schema
        for step in way:
            part = part[step]
        if isinstance(part, list):
            part.remove(last)
        else:
            part.pop(last)

    return change


def _rename(schema: Schema) -> None:
    schema["properties"]["words_of_it"] = schema["properties"].pop("words")


NEVER: dict[str, tuple[Change, str]] = {
    "a field is removed": (_drop("properties.count"), "body.count: removed or renamed"),
    "a field is renamed": (_rename, "body.words: removed or renamed"),
    "a field inside is removed": (
        _drop("$defs.Inner.properties.note"),
        "body.inner.note: removed or renamed",
    ),
    "a number becomes a text": (
        _set("properties.count", type="string"),
        "body.count: no longer integer, now string",
    ),
    "nothing is no longer allowed": (
        _set("properties.place", anyOf=[{"type": "string"}]),
        "body.place: no longer null",
    ),
    "a code is removed": (
        _set("$defs.Solved", enum=["yes", "no"]),
        "body.solved: no longer takes partly",
    ),
    "a known code of an open list is removed": (
        _set("$defs.Outcome", enum=["solved", "other"]),
        "body.outcome: no longer takes explained, partly, cannot, passed_on, no_longer_needed",
    ),
    "texts become longer at least": (
        _set("properties.text", minLength=1),
        "body.text: minLength was None, is 1",
    ),
    "texts become shorter at most": (
        _set("properties.text", maxLength=10),
        "body.text: maxLength was None, is 10",
    ),
    "numbers get a floor": (
        _set("properties.count", minimum=1),
        "body.count: minimum was None, is 1",
    ),
    "texts get a pattern": (
        _set("properties.text", pattern="^x"),
        "body.text: pattern was None, is ^x",
    ),
    "texts get a format": (
        _set("properties.text", format="date-time"),
        "body.text: format was None, is date-time",
    ),
    "a required field is added": (_required("new"), "body.new: is new and required"),
    "a field becomes required": (
        lambda s: s["required"].append("count"),
        "body.count: has become required",
    ),
    "a field inside becomes required": (
        lambda s: s["$defs"]["Inner"]["required"].append("note"),
        "body.inner.note: has become required",
    ),
    "what a list holds changes": (
        _set("properties.several", items={"type": "string"}),
        "body.several[]: no longer object, now string",
    ),
    "what a map holds changes": (
        _set("properties.words", additionalProperties={"type": "integer"}),
        "body.words[]: no longer string, now integer",
    ),
    "unknown fields are refused": (
        lambda s: s.update(additionalProperties=False),
        "body: additionalProperties is now restricted",
    ),
    "a default means something else": (
        _set("properties.count", default=1),
        "body.count: the default was 0, is 1",
    ),
    "a default inside means something else": (
        _set("properties.usual.default", note="always"),
        "body.usual: the default was {'name': 'usual', 'note': None}, "
        "is {'name': 'usual', 'note': 'always'}",
    ),
}

ONLY_FACTS: dict[str, tuple[Change, str]] = {
    "a code is added that readers refuse": (
        _set("$defs.Solved", enum=["yes", "partly", "no", "later"]),
        "body.solved: may now be later, which readers refuse",
    ),
    "nothing becomes possible": (
        _set("properties.text", type=["string", "null"]),
        "body.text: may now be null, which readers refuse",
    ),
    "a field may be left out that readers count on": (
        _drop("required.text"),
        "body.text: is no longer required, and readers count on it",
    ),
    "another service owns it": (
        lambda s: s.update({"x-owner": "sla"}),
        "x-owner was 'desk', is 'sla'",
    ),
    "it moves to another topic": (
        lambda s: s.update({"x-topic": "feedback.private"}),
        "x-topic was 'feedback.events', is 'feedback.private'",
    ),
}

ALWAYS: dict[str, Change] = {
    "nothing changes": lambda s: None,
    "an optional field is added": _set("properties", new={"type": "string", "default": ""}),
    "an optional field is added inside": _set(
        "$defs.Inner.properties", new={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a default has a new field without a value": _set("properties.usual.default", new=None),
    "a code is added to an open list": lambda s: s["$defs"]["Outcome"]["enum"].append("joined"),
    "the words about a field change": _set("properties.text", description="其他说明"),
    "a class inside is called otherwise": _set("$defs.Inner", title="Within"),
}


@pytest.mark.parametrize("case", NEVER)
def test_what_never_may_change_is_found(case: str) -> None:
    change, sentence = NEVER[case]
    assert f"it: {sentence}" in found(change)
    assert f"it: {sentence}" in found(change, INBOUND)


@pytest.mark.parametrize("case", ONLY_FACTS)
def test_what_yesterdays_readers_refuse_is_found(case: str) -> None:
    change, sentence = ONLY_FACTS[case]
    assert found(change) == [f"it: {sentence}"]


@pytest.mark.parametrize("case", [c for c in ONLY_FACTS if "another" not in c])
def test_what_adapters_send_may_become_wider(case: str) -> None:
    assert found(ONLY_FACTS[case][0], INBOUND) == []


@pytest.mark.parametrize("case", ALWAYS)
def test_what_readers_ignore_may_change(case: str) -> None:
    assert found(ALWAYS[case]) == []


def test_limits_may_loosen_where_only_we_read() -> None:
    old = {"properties": {"text": {"type": "string", "maxLength": 10, "pattern": "x"}}}
    new = {"properties": {"text": {"type": "string", "maxLength": 20}}}
    assert breaks({"it": old}, {"it": new}) == []
    assert len(breaks({"it": old | {"x-type": "t"}}, {"it": new | {"x-type": "t"}})) == 2


def test_a_limit_beside_a_choice_counts_too() -> None:
    choice = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    old, new = ({"properties": {"name": choice | {"maxLength": n}}} for n in (80, 40))
    assert "it: body.name: maxLength was 80, is 40" in breaks({"it": old}, {"it": new})


def test_a_type_that_was_released_stays() -> None:
    assert breaks({"events/made.up.v1.json": EVENT}, {}) == [
        "events/made.up.v1.json: the type is gone"
    ]


def test_the_released_schemas_are_those_of_the_release_before_this_one() -> None:
    assert (RELEASED / "VERSION").read_text() == f"{RELEASE - 1}\n"
    # In the words that the next release is made from, and the last one found by.
    assert f"\nRELEASE = {RELEASE}\n" in NUMBER.read_text()


def test_todays_schemas_break_no_promise_of_the_last_release() -> None:
    assert (RELEASED / "VERSION").read_text("utf-8").strip()
    assert released()
    assert breaks(released(), schemas()) == []
