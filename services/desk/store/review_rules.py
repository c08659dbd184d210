"""Which replies are read by somebody else before they go out: by category, priority, department."""

from __future__ import annotations

from dataclasses import replace

from services.desk.domain import Change
from services.desk.store.tables import ReviewRuleRow
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


async def set_rule(tx: Transaction, kind: str, code: str, *, on: bool) -> None:
    """From now on, for what is dispatched or corrected from now on."""
    row = await tx.session.get(ReviewRuleRow, (kind, code))
    if on and row is None:
        tx.session.add(ReviewRuleRow(kind=kind, code=code))
    elif not on and row is not None:
        await tx.session.delete(row)
