"""Who sees which case, and how much of the person behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.contracts.vocabulary import Role

SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
OF_A_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})
OWN_ENTRIES = frozenset({Role.CLERK, Role.STUDENT})
KNOW_THE_PERSON = frozenset({Role.COORDINATOR, Role.LEADER})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks."""

    username: str
    role: Role
    department: str | None = None


class Seen(Protocol):
    """What visibility depends on; a `Case` and a row both have it."""

    @property
    def department(self) -> str | None: ...

    @property
    def confidential(self) -> bool: ...

    @property
    def anonymous(self) -> bool: ...

    @property
    def entered_by(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """The same rule for many cases at once: all of them, those of a department, or own entries.

    Neither of the three: none.
    """

    everything: bool = False
    department: str | None = None
    entered_by: str | None = None


def scope_of(viewer: Viewer) -> Scope:
    """Which cases a list may show. An administrator runs the house and reads no mail."""
    if viewer.role in SEE_ALL:
        return Scope(everything=True)
    if viewer.role in OF_A_DEPARTMENT:
        return Scope(department=viewer.department)
    if viewer.role in OWN_ENTRIES:
        return Scope(entered_by=viewer.username)
    return Scope()


def sees(viewer: Viewer, case: Seen) -> bool:
    """Whether this case exists for the viewer; confidential ones not for who merely typed them."""
    scope = scope_of(viewer)
    if scope.everything:
        return True
    if scope.department is not None:
        return case.department == scope.department
    if scope.entered_by is not None:
        return case.entered_by == scope.entered_by and not case.confidential
    return False


def sees_words(viewer: Viewer, case: Seen) -> bool:
    """Whether the viewer reads the words unmasked (numbers and addresses included)."""
    if viewer.role in KNOW_THE_PERSON:
        return True
    if viewer.role is Role.CLERK:
        return sees(viewer, case)
    return _handles(viewer, case)


def sees_contact(viewer: Viewer, case: Seen) -> bool:
    """Whether the viewer reads who it is and how to reach them."""
    return viewer.role in KNOW_THE_PERSON or _handles(viewer, case)


def _handles(viewer: Viewer, case: Seen) -> bool:
    return (
        viewer.role in OF_A_DEPARTMENT
        and viewer.department is not None
        and case.department == viewer.department
        and not case.confidential
        and not case.anonymous
    )
