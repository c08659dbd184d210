"""Who it is that is told: the office, a department's entrance, whoever works on a case."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from services.notification.domain.cases import Case
from services.notification.domain.notice import FAREWELLS, STAFF, Notice
from shared.contracts import sla
from shared.contracts.vocabulary import Clock, Role

_SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
_OF_A_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})


class People(Protocol):
    """Who works where."""

    def staff(
        self, *, role: str | None = None, department: str | None = None, present: bool = False
    ) -> list[str]:
        """User names of active people with that role, of that department; `present`: without
        those who are away and have nobody who stands in for them."""
        ...

    def substitute(self, name: str) -> str | None:
        """Who stands in for this account, while it is away."""
        ...


def and_substitutes(found: list[Notice], people: People) -> list[Notice]:
    """What the absent are told, who stands in for them is told, too, after those it is for."""
    named = [(one, people.substitute(one.staff or "")) for one in found]
    instead = [replace(one, recipient=f"{STAFF}{other}") for one, other in named if other]
    return [*instead, *found]


def and_who_is_there(found: list[Notice], department: str | None, people: People) -> list[Notice]:
    """Where all who are told are away and nobody stands in for them, the department's entrance is
    told, too, before them: else a case lies where nobody looks. What calls a person, or takes
    leave of them, is for them alone."""
    work = [one for one in found if one.params.get("what") not in (*FAREWELLS, "mentioned")]
    there = set(people.staff(present=True))
    if not work or any(one.staff in there for one in work):
        return found
    told = {one.recipient for one in found}
    names = [name for name in entrance(people, department) if f"{STAFF}{name}" not in told]
    params = work[-1].params | {"absent": True}
    return [*(replace(work[-1], recipient=f"{STAFF}{n}", params=params) for n in names), *found]


def may_open(roles: Collection[str], department: str | None, case: Case) -> bool:
    """Whether somebody of these roles and department finds the case at the desk, or a 404."""
    theirs = department is not None and department in (case.department, *case.helping)
    return any(role in _SEE_ALL or (role in _OF_A_DEPARTMENT and theirs) for role in roles)


def office(people: People) -> list[str]:
    """The coordinators."""
    return people.staff(role=Role.COORDINATOR)


def entrance(people: People, department: str | None) -> list[str]:
    """Who takes work in for a department: who is there, else its head; the office where nobody
    does."""
    return doors(people, department) or office(people)


def doors(people: People, department: str | None) -> list[str]:
    """The same as `entrance` without the office."""
    if department is None:
        return []
    return people.staff(role=Role.LIAISON, department=department, present=True) or people.staff(
        role=Role.REVIEWER, department=department, present=True
    )


def who_had_it(before: Case, people: People) -> list[str]:
    """From whom a case was taken: its department, and who handled it there."""
    here = people.staff(department=before.department) if before.department else []
    its = [before.handler] if before.handler in here and before.handler else []
    return [*doors(people, before.department), *its]


def at_work(case: Case, people: People) -> list[str]:
    """Who works on it."""
    return handler(case.handler, case.department, people)


def who_asked(case: Case, people: People) -> list[str]:
    """Who asked for more time, also where another handles it."""
    name = case.asked_for_time
    return handler(name, case.department, people) if name else []


def handler(name: str | None, department: str | None, people: People) -> list[str]:
    """Who handles it; the department where they have moved or left and would find a 404."""
    here = [n for role in _OF_A_DEPARTMENT for n in people.staff(role=role, department=department)]
    everywhere = [n for role in _SEE_ALL for n in people.staff(role=role)]
    return [name] if name in (*here, *everywhere) and name else entrance(people, department)


def heads(department: str | None, people: People) -> list[str]:
    """Who reviews its answers."""
    return people.staff(role=Role.REVIEWER, department=department) if department else []


def responsible(event: sla.ClockEvent, case: Case, people: People) -> list[str]:
    """Who can still keep this promise."""
    match event.clock:
        case Clock.TRIAGE:
            return office(people)
        case Clock.FOLLOW_UP:
            return []
        case Clock.REVIEW:
            return above(Role.REVIEWER, event.department or case.department, people)
        case Clock.APPEAL:
            return people.staff(role=Role.LEADER)
        case Clock.ACCEPT:
            return entrance(people, event.department or case.department)
        case _:
            return at_work(case, people)


def above(role: str, department: str | None, people: People) -> list[str]:
    """Whom it goes up to; the office where there is nobody."""
    if role == Role.REVIEWER and department:
        found = people.staff(role=role, department=department)
    else:
        found = people.staff(role=role) if role != Role.REVIEWER else []
    return found or office(people)
