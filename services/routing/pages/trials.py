"""Other rules, or another version, tried on the latest cases before they count."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from services.routing.deps import Deps
from services.routing.domain import RuleSet
from services.routing.domain.trial import Change, Deciders, Trial, tried
from services.routing.learning import no_surer
from services.routing.store import learned, past
from shared.contracts.refusal import NotFound
from shared.service import Service

CASES = 300
"""The latest ones; some three milliseconds each."""
SHOWN = 60
EXCERPT = 120


def excerpt(text: str) -> str:
    """A comment as a list names it, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


async def of_rules(service: Service[Deps], rules: RuleSet, locale: str) -> dict[str, Any]:
    """What these rules would change."""
    now = _now(service)
    return await _tried(service, now, replace(now, rules=rules), locale)


async def of_version(service: Service[Deps], version: int, locale: str) -> dict[str, Any]:
    """What this version of what was learned would change, 0 being the shipped one."""
    now = _now(service)
    model = service.deps.meaning.shipped
    if version:
        async with service.engine.connect() as connection:
            found = await learned.version_of(connection, version)
        if found is None:
            raise NotFound
        model = no_surer(found.model, model)
    return await _tried(service, now, replace(now, model=model), locale)


def _now(service: Service[Deps]) -> Deciders:
    deps = service.deps
    off = deps.meaning.embedder.off
    return Deciders(
        deps.rules.ruleset,
        None if off else deps.meaning.model,
        dict(deps.directory.departments),
        dict(deps.directory.categories),
        deps.meaning.alarms,
        dict(deps.directory.closed_categories),
    )


async def _tried(
    service: Service[Deps], now: Deciders, then: Deciders, locale: str
) -> dict[str, Any]:
    async with service.engine.connect() as connection:
        model = then.model.embedder if then.model else ""
        cases = await past.latest(connection, model, CASES)
        if model and service.deps.meaning.indexed:
            cases = await past.with_precedents(connection, model, cases)
    trial = await asyncio.to_thread(tried, cases, now, then)
    return _shown(trial, service.deps, locale)


def _shown(trial: Trial, deps: Deps, locale: str) -> dict[str, Any]:
    return {
        "cases": trial.cases,
        "by_meaning": trial.by_meaning,
        "with_precedents": trial.with_precedents,
        "doubted": trial.doubted,
        "changed": len(trial.changes),
        "counts": trial.counts,
        "better": trial.better,
        "worse": trial.worse,
        "changes": [_line(one, deps, locale) for one in trial.changes[:SHOWN]],
    }


def _line(one: Change, deps: Deps, locale: str) -> dict[str, Any]:
    name = deps.directory.department_name
    return {
        "feedback_id": one.feedback_id,
        "text": excerpt(one.said.title or one.said.text),
        "kinds": one.kinds,
        "category_before": one.before.category or "",
        "category_after": one.after.category or "",
        "before": name(one.before.guess, locale) if one.before.guess else "",
        "after": name(one.after.guess, locale) if one.after.guess else "",
        "sent_before": one.before.confident,
        "sent_after": one.after.confident,
        "priority_before": one.before.priority.value,
        "priority_after": one.after.priority.value,
        "better": one.better,
    }
