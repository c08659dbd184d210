"""Replacing the rules, for page, API and command: checked whole, kept as the next version."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import structlog

from services.routing import seeds, store
from services.routing.deps import Deps
from services.routing.domain import (
    NotJson,
    RuleSet,
    RulesInvalid,
    parse_rules,
    with_precision,
    with_version,
)
from services.routing.store import Stored
from shared.contracts.refusal import Conflict, Malformed, Refusal, Unacceptable
from shared.service import Service

log = structlog.get_logger()

MOST = 50
"""Mistakes that are shown at once."""


async def replace_rules(service: Service[Deps], text: str, *, by: str) -> Stored:
    """Put `text` in force. It says in ``version`` which rules it was made from.

    Raises `RulesInvalid`, and `Conflict` when those are not the newest any more.
    """
    deps = service.deps
    async with deps.compiling:
        base = _base(text)
        async with service.transaction() as tx:
            await seeds.seed(tx.connection, tx.now)
            # Before what is stored, else it could be of an edit that was stored in between.
            decided = await store.decided_version(tx.connection)
            current = await store.stored_version(tx.connection)
            if base is not None and base != current:
                raise _stale(current)
            # Off the loop: a megabyte of phrases would hold up everybody's comments.
            ruleset = await asyncio.to_thread(compile_rules, text, list(deps.directory.departments))
            if base is None:
                raise Unacceptable(
                    "请写明 version：您改的是哪一版。",
                    "Say in version which rules you edited.",
                    errors={"version": "required"},
                )
            version = max(base, decided) + 1
            new = Stored(version, with_version(text, version), ruleset, tx.now, by)
            if not await store.store_rules(
                tx.connection, text, version=new.version, at=tx.now, by=by
            ):
                raise _stale(new.version)
            tx.after_commit(partial(deps.rules.use, new))
    log.info("rules edited", version=new.version, by=by, rules=len(ruleset.book.rules))
    return new


async def choose_precision(service: Service[Deps], precision: float, *, by: str) -> Stored:
    """Publish how often it has to be right, with the next version of the rules."""
    async with service.engine.connect() as connection:
        await service.deps.rules.refresh(connection)
    return await replace_rules(
        service, with_precision(service.deps.rules.stored.text, precision), by=by
    )


def refusal_of(invalid: RulesInvalid, locale: str) -> Refusal:
    """The mistakes as an answer: by path, each a sentence with its line."""
    errors: dict[str, str] = {}
    for mistake in invalid.mistakes[:MOST]:
        path = ".".join(map(str, mistake.path)) or "body"
        sentence = mistake.sentence(locale)
        errors[path] = f"{errors[path]}; {sentence}" if path in errors else sentence
    if isinstance(invalid, NotJson):
        return Malformed("这不是合法的 JSON。", "This is not JSON.", errors=errors)
    return Unacceptable(
        "规则里有要改的地方，一条也没有保存。",
        "The rules need correction; nothing was saved.",
        errors=errors,
    )


def _base(text: str) -> int | None:
    """The version the text was made from; the check that follows reports what cannot be read."""
    try:
        version = json.loads(text).get("version")
    except (ValueError, AttributeError, RecursionError):
        return None
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def compile_rules(text: str, departments: list[str]) -> RuleSet:
    """Rules as they were typed, checked and ready for use; raises `RulesInvalid`."""
    return RuleSet(parse_rules(text, departments=departments))


def _stale(current: int | None) -> Conflict:
    return Conflict(
        f"规则已经是第 {current} 版，您改的是更早的一版。请取最新的一版，把修改再做一遍。",
        f"The rules are at version {current}; you edited an earlier one. "
        "Fetch the newest and make your change again.",
    )
