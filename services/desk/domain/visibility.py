"""Who sees which case, and how much of the person behind it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.contracts import Actor
from shared.contracts.vocabulary import Role

SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
OF_A_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})
OWN_ENTRIES = frozenset({Role.CLERK, Role.STUDENT})
KNOW_THE_PERSON = frozenset({Role.COORDINATOR, Role.LEADER})
_ROLES = tuple(Role)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks or acts; what any of their roles allows is allowed."""

    username: str
    roles: frozenset[Role]
    department: str | None = None
    display: str | None = None
    stands_in_for: tuple[Viewer, ...] = ()
    """Who is away, and in whose place this person may act."""

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The person in each of their roles, in the order of `Role`, then in those of the absent:
        who acts is the first that may."""
        return tuple(self.actor(role, whose) for role, whose in self.places)

    @property
    def places(self) -> list[tuple[Role, Viewer]]:
        """In which roles, and in whose place, this person may act."""
        people = (self, *self.stands_in_for)
        return [(role, whose) for whose in people for role in _ROLES if role in whose.roles]

    def actor(self, role: Role, whose: Viewer) -> Actor:
        """The person in one of those."""
        return Actor(
            kind="staff",
            name=self.username,
            display=self.display,
            role=role,
            department=whose.department,
            substitute_for=None if whose is self else whose.username,
        )

    @property
    def every_role(self) -> frozenset[Role]:
        """All roles in which this person may act now."""
        return self.roles.union(*(one.roles for one in self.stands_in_for))

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose work this is: one's own, and that of the absent."""
        return (self.username, *(one.username for one in self.stands_in_for))


class Seen(Protocol):
    """What visibility depends on; a `Case` and a row both have it."""

    @property
    def department(self) -> str | None: ...

    @property
    def co_departments(self) -> Collection[str]: ...

    @property
    def confidential(self) -> bool: ...

    @property
    def anonymous(self) -> bool: ...

    @property
    def entered_by(self) -> str | None: ...


class Private(StrEnum):
    """Of which of the cases in one's scope something private is shown."""

    NONE = "none"
    ALL = "all"
    NAMED = "named"
    """Those whose reporter is not anonymous."""
    OPEN = "open"
    """Those that are neither anonymous nor confidential."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The same rule for many cases at once: all of them, those of a department, or own entries.

    Neither of the three: none.
    """

    everything: bool = False
    department: str | None = None
    entered_by: str | None = None
    words: Private = Private.NONE
    """Where the words are shown unmasked (numbers and addresses included)."""
    person: Private = Private.NONE
    """Where it is shown who it is and how to reach them."""


def scopes_of(viewer: Viewer) -> tuple[Scope, ...]:
    """Which cases a list may show: what stands in any of these, one for each role."""
    scopes = (scope_of(whose, role) for role, whose in viewer.places)
    return tuple(dict.fromkeys(scope for scope in scopes if scope != Scope()))


def scope_of(viewer: Viewer, role: Role) -> Scope:
    """Which cases a role shows. An administrator runs the system and reads no mail."""
    if role in KNOW_THE_PERSON:
        return Scope(everything=True, words=Private.ALL, person=Private.NAMED)
    if role in SEE_ALL:
        return Scope(everything=True)
    if role in OF_A_DEPARTMENT:
        return Scope(department=viewer.department, words=Private.OPEN, person=Private.OPEN)
    if role is Role.CLERK:
        return Scope(entered_by=viewer.username, words=Private.ALL)
    if role in OWN_ENTRIES:
        return Scope(entered_by=viewer.username)
    return Scope()


def gains_nothing(other: Viewer, absent: Viewer) -> bool:
    """Whether standing in for `absent` lends `other` neither a role that is not theirs nor the
    sight of another department; within a department its people stand in for each other."""
    same = other.department == absent.department
    lent = absent.roles - (other.roles - (frozenset() if same else OF_A_DEPARTMENT))
    colleagues = same and not other.roles.isdisjoint(OF_A_DEPARTMENT)
    return not lent - (OF_A_DEPARTMENT if colleagues else frozenset())


def contains(scope: Scope, case: Seen) -> bool:
    """Whether a case stands in a scope; a confidential one not for who merely typed it in."""
    if scope.everything:
        return True
    if scope.department is not None:
        return scope.department in (case.department, *case.co_departments)
    if scope.entered_by is not None:
        return case.entered_by == scope.entered_by and not case.confidential
    return False


def sees(viewer: Viewer, case: Seen) -> bool:
    """Whether this case exists for the viewer."""
    return any(contains(scope_of(whose, role), case) for role, whose in viewer.places)


def sees_words(viewer: Viewer, case: Seen) -> bool:
    """Whether the viewer reads the words unmasked."""
    return any(contains(s, case) and _shown(s.words, case) for s in scopes_of(viewer))


def sees_pictures(viewer: Viewer, case: Seen) -> bool:
    """Whether the viewer is shown what the reporter sent as pictures, in which nothing is masked.

    Who reads words as they were written; a department also where the reporter is anonymous: that
    they do not say who they are is no reason not to look at the tap. What is confidential is for
    the office alone.
    """
    return any(
        contains(s, case)
        and (s.words is Private.ALL or (s.words is Private.OPEN and not case.confidential))
        for s in scopes_of(viewer)
    )


def sees_contact(viewer: Viewer, case: Seen) -> bool:
    """Whether the viewer reads who it is and how to reach them; of an anonymous case nobody."""
    return any(contains(s, case) and _shown(s.person, case) for s in scopes_of(viewer))


def reader_of(viewer: Viewer, case: Seen) -> Actor:
    """In which role, and in whose place, the viewer reads who it is (see `sees_contact`)."""
    for role, whose in viewer.places:
        scope = scope_of(whose, role)
        if contains(scope, case) and _shown(scope.person, case):
            return viewer.actor(role, whose)
    return viewer.actors[0]


def _shown(private: Private, case: Seen) -> bool:
    match private:
        case Private.ALL:
            return True
        case Private.NAMED:
            return not case.anonymous
        case Private.OPEN:
            return not case.anonymous and not case.confidential
        case _:
            return False
