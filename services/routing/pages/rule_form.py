"""``/routing/edit?rule=…``: one rule as a form, what it did, and phrases it may want."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.routing.api.editing import MOST, compile_rules, replace_rules
from services.routing.api.rules import locale_of
from services.routing.deps import Deps, deps_of
from services.routing.domain import Rule, RulesInvalid, with_rule, with_version
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
_SHOWN = (*_LISTS, "category", "weight", "type", "priority", "note", "note_en")


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
    mistakes, status, trial = [], 200, None
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
        mistakes = [m.sentence(locale) for m in invalid.mistakes[:MOST]]
        status = 422
    except Refusal as refusal:
        mistakes, status = [refusal.detail(locale)], refusal.status
        if not isinstance(refusal, Conflict):
            base = ""
    values["phrases"] = "\n".join(rule.get("phrases", ()))
    return await _page(
        request, person, rule_id, values, mistakes=mistakes, status=status, trial=trial, base=base
    )


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


def _rule(deps: Deps, rule_id: str) -> Rule:
    found = next((one for one in deps.rules.ruleset.book.rules if one.id == rule_id), None)
    if found is None:
        raise NotFound
    return found
