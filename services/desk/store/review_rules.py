"""Which replies are read by somebody else before they go out: by category, priority, department."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import select

from services.desk.domain import Change
from services.desk.store.people import all_categories, all_departments
from services.desk.store.tables import ReviewRuleRow
from shared.contracts import SYSTEM, Actor
from shared.contracts.desk import ReviewRuleListed
from shared.contracts.vocabulary import Priority
from shared.messaging.transaction import Transaction


class _Rules:
    """The rules, read once in a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: frozenset[tuple[str, str]] | None = None

    async def known(self) -> frozenset[tuple[str, str]]:
        if self._known is None:
            rows = await self._tx.fetch("SELECT kind, code FROM review_rules")
            self._known = frozenset((row["kind"], row["code"]) for row in rows)
        return self._known

    async def flush(self) -> None:
        """Nothing is held back."""


async def with_review(tx: Transaction, change: Change) -> Change:
    """The change, with whether replies need a second pair of eyes as what the case is about now."""
    case, rules = change.case, await tx.cache(_Rules).known()
    about = {
        ("category", case.category),
        ("priority", case.priority and str(case.priority)),
        ("department", case.department),
    }
    needs = bool(about & rules)
    return (
        change
        if needs == case.needs_review
        else replace(change, case=replace(case, needs_review=needs))
    )


async def set_rule(
    tx: Transaction,
    kind: str,
    code: str,
    *,
    on: bool,
    by: Actor = SYSTEM,
    reason: str | None = None,
) -> bool:
    """From now on, for what is dispatched or corrected from now on; emitted on the directory.

    False where it is so already: then it stays as it was said first.
    """
    row = await tx.session.get(ReviewRuleRow, (kind, code), with_for_update=True)
    if on == (row is not None):
        return False
    if row is not None:
        await tx.session.delete(row)
    else:
        tx.session.add(ReviewRuleRow(kind=kind, code=code, since=tx.now, by=by.name, reason=reason))
    tx.emit(ReviewRuleListed(at=tx.now, by=by, kind=kind, code=code, required=on, reason=reason))
    return True


async def rules(tx: Transaction) -> list[ReviewRuleRow]:
    """What replies are read for now, by kind and code."""
    order = (ReviewRuleRow.kind, ReviewRuleRow.code)
    return list(await tx.session.exec(select(ReviewRuleRow).order_by(*order)))


async def codes_of(tx: Transaction) -> dict[str, list[str]]:
    """Kind → what can be named: categories and departments in use, and priorities."""
    categories, departments = await all_categories(tx), await all_departments(tx)
    return {
        "category": [code for code, row in categories.items() if row.active],
        "priority": list(Priority),
        "department": [code for code, row in departments.items() if row.active],
    }
