"""``/routing/edit?rule=…``: one rule as a form, what it did, and phrases it may want."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.routing.api.editing import MOST, compile_rules, replace_rules
from services.routing.api.rules import locale_of
from services.routing.deps import Deps, deps_of
from services.routing.domain import Mistake, Rule, RulesInvalid, with_rule, with_version
from services.routing.domain.model import NOT_OURS
from services.routing.domain.phrases import suggested
from services.routing.pages import trials
from services.routing.store import past
from shared.contracts.refusal import Conflict, NotFound, Refusal
from shared.contracts.vocabulary import CaseType, Priority
from shared.service import Service
from shared.web.auth import Staff, runtime_of, service_of

LOOK_BACK = timedelta(weeks=4)
LETTERS = 2_000
"""The latest letters whose category is known; phrases are found among them."""
NEW = "new"
_LISTS = ("phrases", "all_phrases", "not_phrases", "not_before")
_SHOWN = ("id", *_LISTS, "category", "weight", "type", "priority", "note", "note_en")
"""The fields of the form: what is wrong with one is said beside it."""
_TAKEN = (
    "这个编号已经有一条规则，请换一个；要改那一条，请在规则列表里点它的“修改”。",
    "There is a rule of this id: please take another. To change that one, press Edit beside it in "
    "the list.",
)
# A form has no field names of the document; what does not go together is said in its words.
_PLAINLY: Mapping[str, tuple[str, str, str]] = {
    "hears-nothing": (
        "phrases",
        "请至少写一个词：听到什么才算？",
        "Please write at least one phrase: what does it listen for?",
    ),
    "guards-nothing": (
        "phrases",
        "写了还要有、不能有的，这里也要有词。",
        "What must or may not stand beside it needs a phrase here to stand beside.",
    ),
    "without-category": (
        "category",
        "不选类别的规则只能说明类型：请选一个类别，或者只选类型、不勾紧急。",
        "A rule without a category may only say the type: please choose a category, or a type "
        "and no emergency.",
    ),
    "calm-p1": (
        "priority",
        "P1 只用于紧急情况：请勾上紧急。",
        "P1 is for emergencies only: please tick emergency.",
    ),
}


async def did(service: Service[Deps]) -> dict[str, dict[str, int]]:
    """What each rule did in the last four weeks: `hits`, of these `right`, and `corrected`."""
    since = service.runtime.clock.now() - LOOK_BACK
    async with service.engine.connect() as connection:
        rows = await past.by_rule(connection, since)
    owners = {one.id: one for one in service.deps.rules.ruleset.book.rules}
    found: dict[str, dict[str, int]] = {}
    for rule, department, category, cases in rows:
        sums = found.setdefault(rule, {"hits": 0, "right": 0, "corrected": 0})
        sums["hits"] += cases
        if department is not None and (known := owners.get(rule)) is not None:
            theirs = NOT_OURS in (department, category)
            right = theirs if known.category == NOT_OURS else department == known.owner
            sums["right" if right else "corrected"] += cases
    return found


async def form_page(request: Request, person: Staff, rule_id: str) -> Response:
    """A rule as it is, or an empty form; 404 for one that is not there."""
    runtime_of(request).directory.check_category(request.query_params.get("category"))
    if rule_id == NEW:
        return await _page(request, person, NEW, {"weight": "0.6", "enabled": "1"})
    rule = _rule(deps_of(request), rule_id)
    typed: dict[str, str] = {name: "\n".join(getattr(rule, name)) for name in _LISTS}
    for name in ("category", "weight", "type", "priority", "note", "note_en"):
        value = getattr(rule, name)
        typed[name] = "" if value is None else str(value)
    typed |= {"enabled": "1" * rule.enabled, "emergency": "1" * rule.emergency}
    typed["doubtful"] = "1" * rule.doubtful
    return await _page(request, person, rule_id, typed)


async def save_form(request: Request, person: Staff, form: Mapping[str, str]) -> Response:
    """Put the rule in force, or say what it would change, or what is wrong with it."""
    service, locale = service_of(request, "routing"), locale_of(request)
    rule_id, base = form.get("rule", ""), form.get("version", "")
    stored = service.deps.rules.stored
    before: dict[str, Any] = {}
    if rule_id != NEW:
        _rule(service.deps, rule_id)
        raw = json.loads(stored.text)["rules"]
        before = next(one for one in raw if one["id"] == rule_id)
    values = {name: text.replace("\r\n", "\n") for name, text in form.items()}
    rule = _as_typed(before, values, rule_id)
    text = with_rule(stored.text, rule)
    if base.isascii() and base.isdigit() and len(base) < 10:
        text = with_version(text, int(base))
    mistakes: list[str] = []
    errors: dict[str, str] = {}
    status, trial = 200, None
    if rule_id == NEW and any(one.id == rule["id"] for one in _book(service.deps)):
        taken = {"id": _TAKEN[locale == "en"]}
        values["phrases"] = "\n".join(rule["phrases"])
        return await _page(request, person, NEW, values, errors=taken, status=422, base=base)
    try:
        if form.get("do") == "try":
            async with service.deps.compiling:
                departments = list(service.deps.directory.departments)
                rules = await asyncio.to_thread(compile_rules, text, departments)
            trial = await trials.of_rules(service, rules, locale)
        else:
            new = await replace_rules(service, text, by=person.username)
            return RedirectResponse(f"/routing?saved={new.version}#rule-{rule['id']}", 303)
    except RulesInvalid as invalid:
        errors, mistakes = _beside_fields(invalid.mistakes, str(rule["id"]), locale)
        status = 422
    except Refusal as refusal:
        mistakes, status = [refusal.detail(locale)], refusal.status
        if not isinstance(refusal, Conflict):
            base = ""
    values["phrases"] = "\n".join(rule.get("phrases", ()))
    return await _page(
        request,
        person,
        rule_id,
        values,
        mistakes=mistakes,
        errors=errors,
        status=status,
        trial=trial,
        base=base,
    )


def _beside_fields(
    mistakes: Iterable[Mistake], rule_id: str, locale: str
) -> tuple[dict[str, str], list[str]]:
    """What is wrong, by field of the form, and what no field of it says.

    Nobody here has seen the document: its lines are not named.
    """
    english = locale == "en"
    beside: dict[str, str] = {}
    others: list[str] = []
    for mistake in list(mistakes)[:MOST]:
        said = mistake.en if english else mistake.zh
        name = str(mistake.path[2]) if len(mistake.path) > 2 else ""
        if (plain := _PLAINLY.get(mistake.kind or "")) is not None:
            name, said = plain[0], plain[1 + english]
        if mistake.rule == rule_id and name in _SHOWN:
            beside.setdefault(name, said)
        else:
            others.append(replace(mistake, line=None).sentence(locale))
    return beside, others


def _as_typed(before: Mapping[str, Any], form: Mapping[str, str], rule_id: str) -> dict[str, Any]:
    """The rule that was typed; what the form does not show stays as it was."""
    rule: dict[str, Any] = {"id": rule_id, **before}
    if rule_id == NEW:
        rule["id"] = form.get("id", "").strip()
    for name in _LISTS:
        lines = [line.strip() for line in form.get(name, "").split("\n")]
        rule[name] = [line for line in dict.fromkeys(lines) if line]
    added = [form[name] for name in sorted(form) if name.startswith("add.")]
    rule["phrases"] += [one for one in added if one not in rule["phrases"]]
    for name in ("category", "type", "priority", "note", "note_en"):
        rule[name] = form.get(name, "").strip() or None
    try:
        rule["weight"] = float(form.get("weight", ""))
    except ValueError:
        rule["weight"] = form.get("weight", "")
    rule["enabled"] = bool(form.get("enabled"))
    rule["emergency"] = bool(form.get("emergency"))
    rule["doubtful"] = bool(form.get("doubtful"))
    unsaid = {"enabled": True, "emergency": False, "doubtful": False}
    return {
        name: value
        for name, value in rule.items()
        if value not in (None, []) and unsaid.get(name, ...) != value
    }


async def _page(
    request: Request,
    person: Staff,
    rule_id: str,
    typed: Mapping[str, str],
    *,
    mistakes: list[str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    trial: dict[str, Any] | None = None,
    base: str = "",
) -> Response:
    service, locale = service_of(request, "routing"), locale_of(request)
    deps, book = service.deps, service.deps.rules.ruleset.book
    category = typed.get("category") or request.query_params.get("category", "")
    found = []
    if category in deps.directory.categories:
        async with service.engine.connect() as connection:
            letters = await past.labelled_words(connection, LETTERS)
        known = [
            word
            for one in book.rules
            if one.category == category
            for phrase in one.phrases
            for word in book.alternatives(phrase)
        ]
        known += typed.get("phrases", "").split("\n")
        found = await asyncio.to_thread(suggested, letters, category, known)
    answer: Response = deps.pages.render(
        request,
        "rule.html",
        user=person.user,
        status=status,
        rule_id=rule_id,
        typed={**typed, "category": category},
        based_on=base or str(deps.rules.version),
        mistakes=mistakes or [],
        errors=errors or {},
        trial=trial,
        suggested=found,
        did=(await did(service)).get(rule_id),
        categories=[
            (code, names[locale == "en"])
            for code, names in runtime_of(request).directory.categories.items()
        ],
        # What is none of the others a rule can say nothing of; one that does goes on.
        types=[one for one in CaseType if one is not CaseType.OTHER or typed.get("type") == one],
        priorities=[one for one in Priority if one is not Priority.P1],
    )
    return answer


def _book(deps: Deps) -> tuple[Rule, ...]:
    return deps.rules.ruleset.book.rules


def _rule(deps: Deps, rule_id: str) -> Rule:
    found = next((one for one in _book(deps) if one.id == rule_id), None)
    if found is None:
        raise NotFound
    return found
