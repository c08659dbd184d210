"""Every action has a button and a form, made of what its body may hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.desk.api.bodies import BODIES, Body, NoBody
from services.desk.api.forms import forms
from services.desk.domain import OFFERED, Action
from services.desk.wording.fields import CHOICES, FIELDS, LISTS, PAIRED, SAID_ELSEWHERE
from services.desk.wording.labels import ACTIONS, COUNTERPART, FIRST, LAST, PRIMARY
from shared.contracts.vocabulary import State


def test_every_action_has_a_button() -> None:
    assert {str(action) for action in OFFERED} - set(ACTIONS) == set()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_form_has_the_fields_of_the_body(locale: str) -> None:
    made = forms(locale)
    for action in OFFERED:
        body = BODIES.get(action, NoBody).model_fields
        asked = {name: info for name, info in body.items() if name not in SAID_ELSEWHERE}
        assert [f.name for f in made[action]] == [i.alias or n for n, i in asked.items()]
        assert [f.required for f in made[action]] == [i.is_required() for i in asked.values()]


def test_every_field_has_a_label() -> None:
    unnamed = [
        f"{action}.{field.name}"
        for action, fields in forms("zh").items()
        for field in fields
        if field.label == field.name
    ]
    assert unnamed == []


def test_a_choice_offers_what_the_body_takes() -> None:
    for action, body in BODIES.items():
        for field in forms("en").get(action, ()):
            if field.kind in ("select", "segments"):
                for code, label in field.options:
                    assert label
                    name = next(
                        n for n, i in body.model_fields.items() if field.name in (i.alias, n)
                    )
                    body.__pydantic_validator__.validate_assignment(
                        body.model_construct(), name, code
                    )


def test_no_label_is_for_a_field_that_is_not_asked() -> None:
    """Those of actions that are decided but not yet offered are left out of this."""
    names = {field.name for fields in forms("zh").values() for field in fields}
    keys = {f"{action}.{field.name}" for action, fields in forms("zh").items() for field in fields}
    coming = {"into", "incident", "parts", "to"}
    assert {*FIELDS, *LISTS, *CHOICES, *PAIRED} - names - keys - coming == set()


def test_what_the_page_puts_first_exists() -> None:
    first = {*FIRST, *LAST, *COUNTERPART, *COUNTERPART.values()}
    assert first.union(*PRIMARY.values()) <= {str(action) for action in OFFERED}
    assert set(PRIMARY) <= {str(state) for state in State}


MAY_NAME_A_VARIABLE = {
    # Of these nothing goes out: the case keeps them.
    Action.CORRECT: {"title", "reason"},
    Action.SPAM: {"reason"},
    # What the reporter said.
    Action.FOLLOW_UP: {"text"},
    # Colleagues about a text.
    Action.NOTE: {"text"},
    Action.SEND_BACK: {"text"},
}


@pytest.mark.parametrize("action", [a for a, body in BODIES.items() if body.words])
def test_no_words_go_out_with_a_variable_that_is_not_filled_in(action: Action) -> None:
    body = BODIES[action]
    for name in body.words:
        field = body.model_fields[name].alias or name
        goes_out = name not in MAY_NAME_A_VARIABLE.get(action, ())
        said = refused(body, {field: "{称呼}，请看附件"}).get(field, "")
        assert ("还有没填上的：{称呼}" in said) is goes_out, (action, field)


def refused(body: type[Body], values: dict[str, str]) -> dict[str, str]:
    """Field → why it is refused."""
    try:
        body.model_validate(values)
    except ValidationError as wrong:
        return {str(one["loc"][0]): one["msg"] for one in wrong.errors()}
    return {}
