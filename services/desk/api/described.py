"""The actions of staff as they are published: OpenAPI and the table in the README.

Both are made of what decides: the transitions, the permissions, the bodies.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter

from services.desk.api.bodies import BODIES, NoBody
from services.desk.api.cases import act
from services.desk.domain import ACTION_NAMES, OFFERED, TRANSITIONS, Action
from services.desk.domain.transitions import ACTIVE, AT_DEPARTMENT
from shared.contracts.vocabulary import Role, State
from shared.web.bodies import inlined


def table() -> str:
    """All actions that are offered, as a table in Markdown."""
    lines = ["| action | body | who | from → to |", "| --- | --- | --- | --- |"]
    for action in _offered():
        who = ", ".join(_roles(action))
        lines.append(f"| `{action}` | {_fields(action)} | {who} | {_moves(action)} |")
    return "\n".join(lines)


@cache
def router() -> APIRouter:
    """One documented route for each action; what answers is the same as for all of them."""
    routes = APIRouter(tags=["actions of staff"])
    for action in _offered():
        zh, _ = ACTION_NAMES[action]
        schema = inlined(BODIES.get(action, NoBody).model_json_schema())
        extra: dict[str, Any] = {
            "requestBody": {
                "required": action in BODIES,
                "content": {"application/json": {"schema": schema}},
            },
            "parameters": [
                {
                    "name": "feedback_id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                }
            ],
        }
        routes.add_api_route(
            f"/api/cases/{{feedback_id}}/{action}",
            act,
            methods=["POST"],
            operation_id=f"case_{action}",
            summary=f"{action} {zh}",
            description=f"By {', '.join(_roles(action))}. {_moves(action)}.",
            responses={
                "404": {"description": "unknown, or not yours to see"},
                "403": {"description": "not for your role"},
                "409": {"description": "not now; `allowed` says what is possible instead"},
                "422": {"description": "what is wrong with the body, by field in `errors`"},
            },
            openapi_extra=extra,
        )
    return routes


def _offered() -> list[Action]:
    return [action for action in Action if action in OFFERED]


def _roles(action: Action) -> list[str]:
    by = {who for (_, a), t in TRANSITIONS.items() if a is action for who in t.by}
    return [str(role) for role in Role if role in by]


def _fields(action: Action) -> str:
    fields = BODIES.get(action, NoBody).model_fields.items()
    words = [f.alias or name for name, f in fields if f.is_required()]
    words += [f"{f.alias or name}?" for name, f in fields if not f.is_required()]
    return f"`{{{', '.join(words)}}}`" if words else ""


def _moves(action: Action) -> str:
    """From which states to which; where it stays they are named once."""
    moves = [
        (state, transition.to)
        for (state, a), transition in TRANSITIONS.items()
        if a is action and transition.by & set(Role)
    ]
    targets = {to for state, to in moves if to is not state}
    grouped: dict[State | None, set[State]] = {}
    for state, to in moves:
        grouped.setdefault(to if to in targets else None, set()).add(state)
    return "; ".join(
        f"{_names(states)} → {to}" if to else f"in {_names(states)}"
        for to, states in grouped.items()
    )


def _names(states: set[State]) -> str:
    for name, group in (("active", ACTIVE), ("at a department", AT_DEPARTMENT)):
        if states >= set(group):
            return ", ".join((name, *(s for s in State if s in states - set(group))))
    return ", ".join(s for s in State if s in states)
