"""Colleagues who are named in a note: only those who may see the case."""

from __future__ import annotations

import re

from services.desk.api.viewing import viewer_listed
from services.desk.domain import Viewer, sees
from services.desk.domain.visibility import SEE_ALL, Seen
from services.desk.store import CaseRow, people
from shared.contracts.desk import PersonListed
from shared.contracts.refusal import Unacceptable
from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction

# What stands in the middle of a word is an address of mail.
_TYPED = re.compile(r"(?<![A-Za-z0-9._-])[@＠]([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_MOST = 20
"""People in one note."""


def colleagues(directory: Directory, case: Seen, me: str) -> list[PersonListed]:
    """Who may see a case besides oneself, those of its departments first."""
    departments = {case.department, *case.co_departments} - {None}
    # Most people are ruled out by this alone.
    near = [
        one
        for one in directory.people.values()
        if one.department in departments
        or one.role in SEE_ALL
        or one.username == case.entered_by
        or (one.roles and not SEE_ALL.isdisjoint(one.roles))
    ]
    found = [
        one for one in near if one.active and one.username != me and sees(viewer_listed(one), case)
    ]
    return sorted(found, key=lambda one: (one.department not in departments, one.username))


async def mentioned(
    tx: Transaction, viewer: Viewer, row: CaseRow, named: list[str], text: str
) -> tuple[str, ...]:
    """The accounts that a note names, in its list or as ``@account`` in its words.

    422 for one of the list that is not there, and for anybody who may not see the case.
    """
    names = {people.account_name(one.lstrip("@＠")): "mention" for one in named}
    for typed in _TYPED.findall(text):
        for one in (typed, typed.rstrip("._-")):
            names.setdefault(people.account_name(one), "text")
    if len(names) > 2 * _MOST:
        raise _refused("mention", f"一次最多提到 {_MOST} 人。", f"At most {_MOST} people at once.")
    known = await people.listed(tx, list(names))
    for name, where in names.items():
        if name not in known:
            if where == "mention":
                raise _refused(where, f"没有这个账号：{name}。", f"There is no account {name}.")
        elif not sees(viewer_listed(known[name]), row):
            shown = known[name].display
            raise _refused(
                where,
                f"{shown}看不到这一件，不能在这里提到。",
                f"{shown} may not see this matter and cannot be mentioned here.",
            )
    return tuple(name for name in names if name in known and name != viewer.username)


def _refused(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})
