"""The form of each action, made of what its body may hold: a new action has one by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from services.desk.api.bodies import BODIES, NoBody
from services.desk.domain import OFFERED, Action
from services.desk.wording.fields import (
    CHOICES,
    FIELDS,
    KEPT_AS,
    LISTS,
    MOMENTS,
    ONLY_IN,
    PAIRED,
    PUBLIC,
    SAID_ELSEWHERE,
    SEGMENTS,
    WORDS,
)
from services.desk.wording.labels import LOCALES
from shared.contracts.vocabulary import State
from shared.web import names


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, in one language."""

    key: str
    """``action.field``"""
    name: str
    label: str
    kind: str
    """``words``, ``line``, ``moment``, ``select``, ``segments``, or a list: ``department`` …"""
    required: bool
    options: tuple[tuple[str, str], ...] = ()
    rows: int = 2
    kept_as: str = ""
    """Under which name its words are kept while somebody writes; empty: not."""
    only_in: str | None = None

    @property
    def listed(self) -> bool:
        """Whether it is chosen from what there is now."""
        return self.kind in LISTS.values()


@dataclass(frozen=True, slots=True)
class Given:
    """What the forms of a page depend on besides the action."""

    start: Mapping[str, str | None]
    """What stands in a field at first, by its key."""
    lists: Mapping[str, Sequence[tuple[str, str]]]
    """Kind → what is chosen from."""
    needed: frozenset[str]
    """Fields that this case needs, by key, though not every case does."""


@cache
def forms(locale: str) -> dict[str, tuple[Field, ...]]:
    """Action → its fields, in the order in which its body names them."""
    return {
        action.value: tuple(
            _field(action, info.alias or name, required=info.is_required(), locale=locale)
            for name, info in BODIES.get(action, NoBody).model_fields.items()
            if name not in SAID_ELSEWHERE
        )
        for action in Action
        if action in OFFERED
    }


def starting_values(case: dict[str, Any]) -> dict[str, str | None]:
    """What stands in the fields at first, by ``action.field``: what the case has already."""
    review, extension = case["review"] or {}, case["extension"] or {}
    draft = case["draft"] or {}
    return written(draft) | {
        "amend.text": draft.get("text"),
        "dispatch.department": case["department"],
        "dispatch.category": case["category"],
        "dispatch.priority": case["priority"] or "P3",
        "reject.instead": _elsewhere(case),
        "approve.text": review.get("text"),
        "approve.outcome": review.get("outcome"),
        "approve.reason": review.get("reason"),
        "explain_breach.clock": next(iter(case["reasons_owed"]), None),
        # Minutes, as a field for a date and a time takes them; the offset is that of the library.
        "grant_extension.until": (extension.get("until") or "")[:16],
    }


def _elsewhere(case: dict[str, Any]) -> str | None:
    """Where to go instead, as routing knows it, in the reporter's language."""
    name = "instead_en" if case["locale"] == "en" else "instead"
    offered = (case.get("why") or {}).get("candidates", ())
    return next((one[name] for one in offered if one.get(name)), None)


def written(
    draft: Mapping[str, str | None], actions: Sequence[str] = ("reply", "submit")
) -> dict[str, str | None]:
    """What somebody has written so far, by the fields of the forms of these actions."""
    return {
        f"{action}.{name}": draft.get(name)
        for action in actions
        for name in ("text", "outcome", "rule")
    }


def needed_now(case: dict[str, Any]) -> frozenset[str]:
    """Sent on from where it is, or bindingly, it needs a reason."""
    again = case["state"] != State.TRIAGE or len(case["returned_by"]) > 1
    return frozenset({"dispatch.reason"} if again else ())


def _field(action: Action, name: str, *, required: bool, locale: str) -> Field:
    key = f"{action}.{name}"
    public = key in PUBLIC
    return Field(
        key=key,
        name=name,
        label=names.pick("field", FIELDS, key if key in FIELDS else name, locale, LOCALES),
        kind=_kind(key, name),
        required=required,
        options=_options(name, locale),
        rows=5 if public else 3 if required else 2,
        kept_as=KEPT_AS.get(action, action) if public or key == "note.text" else "",
        only_in=ONLY_IN.get(key),
    )


def _kind(key: str, name: str) -> str:
    if chosen := LISTS.get(key) or LISTS.get(name):
        return chosen
    if name in CHOICES or name in PAIRED:
        return "segments" if name in SEGMENTS else "select"
    return "words" if name in WORDS else "moment" if name in MOMENTS else "line"


def _options(name: str, locale: str) -> tuple[tuple[str, str], ...]:
    if name in PAIRED:
        return tuple((code, pair[locale != "zh"]) for code, pair in PAIRED[name].items())
    kind, table = CHOICES.get(name, ("", {}))
    locales = names.LOCALES if kind in ("outcome", "type", "priority") else LOCALES
    return tuple((code, names.pick(kind, table, code, locale, locales)) for code in table)
