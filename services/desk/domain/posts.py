"""What nobody would be left to do, where an account gets other roles or is closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shared.contracts.vocabulary import Role

Post = tuple[Role, str | None]
"""A role that somebody has to have, and the department where it is one of a department's."""

NEEDED = frozenset({Role.ADMIN, Role.COORDINATOR})
"""Without them nobody can change anything on the pages, or nothing is dispatched."""
_OF_EACH_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER})
_NAMES: dict[Role, tuple[str, str]] = {
    Role.ADMIN: ("系统管理员", "administrator"),
    Role.COORDINATOR: ("协调人员", "coordinator"),
    Role.LIAISON: ("联络员", "liaison"),
    Role.HANDLER: ("经办人", "handler"),
}


def filled(accounts: Iterable[tuple[Collection[str], str | None]]) -> frozenset[Post]:
    """The posts that open accounts, each with its roles and its department, fill."""
    return frozenset(
        (role, department if role in _OF_EACH_DEPARTMENT else None)
        for roles, department in accounts
        for role in _NAMES
        if role in roles and (department or role in NEEDED)
    )


def needed(lost: Collection[Post]) -> list[Post]:
    """Those of them that the whole library depends on."""
    return sorted(post for post in lost if post[0] in NEEDED)


def said(lost: Iterable[Post], departments: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """That nobody is left who is that, in Chinese and in English; `departments`: code → names."""
    zh, en = [], []
    for role, code in sorted(lost, key=str):
        names = departments.get(code or "", (code or "", code or ""))
        zh.append(f"{names[0]}的{_NAMES[role][0]}" if code else _NAMES[role][0])
        en.append(f"{_NAMES[role][1]} of {names[1]}" if code else _NAMES[role][1])
    return f"没有{'、'.join(zh)}了", f"there is no {', no '.join(en)} any more"
