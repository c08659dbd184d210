"""Changes of the directory that are looked at as a whole: names that are taken, posts left."""

from __future__ import annotations

from services.desk.domain import posts
from services.desk.domain.search import fold
from services.desk.store.people import all_departments, everybody
from services.desk.store.tables import CategoryRow, DepartmentRow, PersonRow
from shared.contracts.refusal import Conflict
from shared.messaging.transaction import Transaction

_ALONE = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
"""One change at a time: two that are each harmless may do harm together. Nobody who reads waits."""
_KINDS: dict[type[DepartmentRow | CategoryRow], tuple[str, str]] = {
    DepartmentRow: ("部门", "department"),
    CategoryRow: ("类别", "category"),
}


async def check_names(
    tx: Transaction, kind: type[DepartmentRow | CategoryRow], code: str, *names: str
) -> None:
    """`Conflict` where another open department or category is called so, in either language.

    Case, width and blanks make no other name: where names are read, they are read without.
    """
    table = kind.__tablename__
    await tx.connection.exec_driver_sql(_ALONE.format(table))
    found = await tx.fetch(f"SELECT code, zh, en FROM {table} WHERE active AND code <> $1", code)
    for other, *called in found:
        for name in names:
            if any(same_name(name, one) for one in called):
                zh, en = _KINDS[kind]
                raise Conflict(
                    f"已经有{zh}叫“{name}”：{other}（{called[0]}，{called[1]}）。请换一个名称，"
                    f"或先停用 {other}。",
                    f"There is a {en} called “{name}” already: {other} ({called[0]}, {called[1]})."
                    f" Choose another name, or close {other} first.",
                )


async def posts_filled(tx: Transaction) -> frozenset[posts.Post]:
    """What somebody does who has an open account, as this transaction sees it."""
    await tx.connection.exec_driver_sql(_ALONE.format(PersonRow.__tablename__))
    people = (await everybody(tx)).values()
    return posts.filled((row.all_roles, row.department) for row in people if row.active)


async def nobody_left(
    tx: Transaction, before: frozenset[posts.Post], name: str, *, force: bool
) -> tuple[str, str] | None:
    """What nobody does any more that somebody did `before`, in both languages; None: nothing.

    `Conflict` for what the whole library depends on, unless it is meant (`force`)."""
    lost = before - await posts_filled(tx)
    if not lost:
        return None
    departments = {d.code: (d.zh, d.en) for d in (await all_departments(tx)).values() if d.active}
    lost = frozenset(post for post in lost if post[1] is None or post[1] in departments)
    if (needed := posts.needed(lost)) and not force:
        zh, en = posts.said(needed, departments)
        role = needed[0][0]
        again = f"python -m services.desk create-user NAME --role {role}"
        raise Conflict(
            f"{name} 是最后一位：这样就{zh}。没有改。请先把这个角色给别人；"
            f"一定要这样就加 --force，以后用 {again} 可以再建一个。",
            f"{name} is the last one: then {en}. Nothing was changed. Give somebody else the role "
            f"first; if this is meant, add --force, and {again} makes one again later.",
        )
    return posts.said(lost, departments) if lost else None


def same_name(one: str, other: str) -> bool:
    """Whether they differ in case, width and blanks at most."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(fold(name).split())
