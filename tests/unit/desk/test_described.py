"""What is published about the actions is what decides them."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.desk.api.bodies import BODIES
from services.desk.api.described import router, table
from services.desk.domain import ACTION_NAMES, NOT_OFFERED, OFFERED, Action, ActionInput


def test_the_table_in_the_readme_is_made_of_the_code() -> None:
    readme = Path(__file__).parents[3] / "services" / "desk" / "README.md"
    assert f"\n{table()}\n" in readme.read_text("utf-8")


def test_every_action_has_its_operation_with_its_body() -> None:
    app = FastAPI()
    app.include_router(router())
    paths = app.openapi()["paths"]
    assert {path.rpartition("/")[2] for path in paths} == set(OFFERED)
    body = paths["/api/cases/{feedback_id}/wait"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"for", "until", "reason"}
    assert set(schema["required"]) == {"for", "reason"}
    assert "coordinator" in paths["/api/cases/{feedback_id}/recall"]["post"]["description"]


def test_every_action_of_staff_has_a_name_and_what_its_body_holds_can_be_given() -> None:
    assert set(ACTION_NAMES) == set(Action) - NOT_OFFERED
    for action, body in BODIES.items():
        assert set(body.model_fields) <= set(ActionInput.__dataclass_fields__), action
        assert set(body.words) <= set(body.model_fields), action
