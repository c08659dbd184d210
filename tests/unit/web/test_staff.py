"""What a signed-in person may do: by any of their roles, and in the place of the absent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.desk import PersonListed
from shared.contracts.vocabulary import Role
from shared.messaging.directory import Directory
from shared.web.auth import Absent, Staff
from shared.web.permissions import ROLES, Permission

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


def person(username: str, *roles: str, **more: object) -> PersonListed:
    values = {"at": NOW, "username": username, "display": username, "role": roles[0]}
    return PersonListed.model_validate(values | {"roles": roles} | more)


def directory(*people: PersonListed) -> Directory:
    made = Directory()
    for one in people:
        made.apply(one)
    return made


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("other", list(Role))
def test_any_role_is_enough_whoever_has_it(permission: Permission, other: Role) -> None:
    several = Staff("wang", "王", (Role.STUDENT, other), "it", "s")
    instead = Staff(
        "wang", "王", (Role.STUDENT,), "it", "s", (Absent("li", "李", (other,), "space"),)
    )
    expected = not ROLES[permission].isdisjoint({Role.STUDENT, other})
    assert several.may(permission) is instead.may(permission) is expected


def test_who_acts_is_named_in_the_role_that_may_and_for_whom() -> None:
    absent = Absent("li", "李", (Role.ADMIN, Role.HANDLER), "space")
    wang = Staff("wang", "王", (Role.LIAISON, Role.AUDITOR), "it", "s", (absent,))
    own = wang.actor_with(Permission.READ_RULES)
    assert own is not None
    assert (own.role, own.department, own.substitute_for) == ("auditor", "it", None)
    lent = wang.actor_with(Permission.EDIT_PROMISES)
    assert lent is not None
    assert (lent.name, lent.role, lent.department) == ("wang", "admin", "space")
    assert lent.substitute_for == "li"
    assert wang.departments_with(Permission.SEE_OWN_FIGURES) == ["it", "space"]
    assert wang.role is Role.LIAISON


def test_an_absence_ends_by_itself_and_can_be_taken_back() -> None:
    until = NOW + timedelta(days=2)
    away = person("li", "handler", away_until=until, substitute="wang")
    known = directory(person("wang", "handler"), away)
    assert [one.username for one in known.absent("wang", NOW)] == ["li"]
    assert known.substitute(away, NOW) == "wang"
    assert known.absent("wang", until) == []
    assert known.substitute(away, until) is None
    known.apply(person("li", "handler"))
    assert known.absent("wang", NOW) == []


def test_who_left_stands_in_for_nobody_and_nobody_for_them() -> None:
    until = NOW + timedelta(days=2)
    away = person("li", "handler", away_until=until, substitute="wang")
    assert directory(person("wang", "handler", active=False), away).substitute(away, NOW) is None
    left = away.model_copy(update={"active": False})
    assert directory(person("wang", "handler"), left).absent("wang", NOW) == []


def test_people_are_found_by_each_of_their_roles_and_by_who_is_there() -> None:
    until = NOW + timedelta(days=2)
    known = directory(
        person("wang", "liaison", "handler", department="it"),
        person("li", "liaison", department="it", away_until=until),
        person("zhao", "liaison", department="it", away_until=until, substitute="wang"),
        PersonListed(at=NOW, username="old", display="old", role="liaison", department="it"),
    )
    assert known.staff(role="handler", department="it") == ["wang"]
    assert known.staff(role="liaison") == ["li", "old", "wang", "zhao"]
    assert known.staff(role="liaison", present_at=NOW) == ["old", "wang", "zhao"]
    assert known.staff(role="liaison", present_at=until) == ["li", "old", "wang", "zhao"]
