"""What stays with a department or in a category that is closed, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from services.desk.domain.transitions import ACTIVE
from services.desk.store.scopes import part_value
from shared.messaging.transaction import Transaction

_ACTIVE = [str(state) for state in ACTIVE]
_CASES = """
SELECT count(*) FILTER (WHERE department = $1) AS first,
       count(*) FILTER (WHERE parts @> $2::jsonb) AS second
FROM cases WHERE state = ANY($3) AND (department = $1 OR parts @> $2::jsonb)
"""
_OWNED = "SELECT code FROM categories WHERE active AND department = $1 ORDER BY code"
_PEOPLE = "SELECT username FROM people WHERE active AND department = $1 ORDER BY username"
_PUT = "SELECT count(*) FROM cases WHERE state = ANY($1) AND category = $2"


async def left_with_department(tx: Transaction, code: str) -> list[tuple[str, str]]:
    """A line for each kind of thing that a closed department still has, in both languages."""
    (cases,) = await tx.fetch(_CASES, code, part_value(code), _ACTIVE)
    owned = ", ".join([row["code"] for row in await tx.fetch(_OWNED, code)])
    people = ", ".join([row["username"] for row in await tx.fetch(_PEOPLE, code)])
    return list(_of_department(code, cases["first"], cases["second"], owned, people))


def _of_department(
    code: str, first: int, second: int, owned: str, people: str
) -> Iterator[tuple[str, str]]:
    if first:
        yield (
            f"还有 {first} 件未办结的诉求在该部门，不会自动移走；请协调人员在 "
            f"/desk?queue=all&department={code} 逐件改派",
            f"{first} open cases stay with it; a coordinator dispatches them elsewhere, see "
            f"/desk?queue=all&department={code}",
        )
    if second:
        yield (
            f"还有 {second} 件未办结的诉求请该部门协办；请在案卷里撤回",
            f"it has a part in {second} open cases; take it out there",
        )
    if owned:
        yield (
            f"这些类别还归该部门：{owned}；新的诉求会转给协调人员分派。请用 add-category 改归其他"
            "部门，或用 --close 停用，并在 /routing 的 owners 里改",
            f"these categories are still its own: {owned}; what comes in goes to triage. Give each "
            "to another department with add-category, or --close it, and say so in owners at "
            "/routing",
        )
    if people:
        yield (
            f"这些账号还属于该部门：{people}；请用 set-roles 换部门，或用 deactivate-user 停用",
            f"these accounts are still in it: {people}; set-roles moves them to another, "
            "deactivate-user closes them",
        )


async def left_in_category(tx: Transaction, code: str) -> list[tuple[str, str]]:
    """The same for a closed category."""
    ((count,),) = await tx.fetch(_PUT, _ACTIVE, code)
    if not count:
        return []
    return [
        (
            f"还有 {count} 件未办结的诉求属于该类别，照旧保留；协调人员可以逐件更正",
            f"{count} open cases stay in it; a coordinator can correct each",
        )
    ]
