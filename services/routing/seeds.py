"""The rules that come with the software; what `setup` loads the first time."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing import store
from services.routing.domain import AlarmModel, Kinds, Model, RuleBook, parse_rules
from services.routing.store import Stored, compiled

SHIPPED = Path(__file__).parent / "data" / "rules.json"
MODEL = Path(__file__).parent / "data" / "model.json"
KINDS = Path(__file__).parent / "data" / "kinds.json"
ALARMS = Path(__file__).parent / "data" / "alarms.json"


def load_rules() -> RuleBook:
    """The shipped rules, checked."""
    return parse_rules(SHIPPED.read_text(encoding="utf-8"))


def shipped_rules() -> Stored:
    """The shipped rules as they are typed, and ready for use."""
    body = SHIPPED.read_text(encoding="utf-8")
    ruleset = compiled(body, checked=True)
    return Stored(ruleset.book.version, body, ruleset)


def shipped_model() -> Model:
    """What `python -m services.routing make-model` made of the letters that come with the tests."""
    return Model.model_validate_json(MODEL.read_bytes())


def shipped_alarms() -> AlarmModel:
    """What `make-alarms` made of the letters that come with the tests."""
    return AlarmModel.model_validate_json(ALARMS.read_bytes())


def shipped_kinds() -> Kinds:
    """What `make-kinds` made of the letters that come with the tests."""
    return Kinds.model_validate_json(KINDS.read_bytes())


async def seed(connection: AsyncConnection, now: datetime) -> bool:
    """Store the shipped rules where there are none, or an older shipped version nobody edited."""
    body = SHIPPED.read_text(encoding="utf-8")
    return await store.seed(connection, now, body, version=json.loads(body)["version"])
