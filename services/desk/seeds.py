"""What is shipped: the departments, and for a demonstration the people who work in them."""

from __future__ import annotations

import asyncio

from services.desk.store import DepartmentRow, PersonRow
from services.desk.store.people import (
    all_departments,
    everybody,
    hash_password,
    is_password,
    list_department,
    list_person,
)
from shared.contracts.vocabulary import DEPARTMENTS, Role
from shared.service import Service

_PEOPLE = (
    ("coordinator", "用户关系办公室·值班", Role.COORDINATOR, "relations"),
    ("leader", "馆领导", Role.LEADER, None),
    ("admin", "系统管理员", Role.ADMIN, None),
    ("auditor", "审计", Role.AUDITOR, None),
    ("clerk", "台口馆员", Role.CLERK, "desk"),
    ("student", "学生助理", Role.STUDENT, "desk"),
)
_OF_EACH_DEPARTMENT = (
    ("liaison", "联络员", Role.LIAISON),
    ("handler", "经办人", Role.HANDLER),
    ("reviewer", "负责人", Role.REVIEWER),
)


async def seed_departments(service: Service) -> None:
    """The shipped departments that are not there yet; a renamed one keeps its name."""
    async with service.transaction() as tx:
        known = await all_departments(tx)
        for code, (zh, en) in DEPARTMENTS.items():
            if code not in known:
                list_department(tx, DepartmentRow(code=code, zh=zh, en=en))


async def seed_demo_people(service: Service) -> None:
    """The demo accounts, all with the demo password; hashed once, since it is one password."""
    password = service.house.settings.demo_secret()
    async with service.transaction() as tx:
        known = await everybody(tx)
        departments = await all_departments(tx)
        first = known.get("coordinator")
        if first is not None and await is_password(password, first.password):
            hashed = first.password
        else:
            hashed = await asyncio.to_thread(hash_password, password)
        for row in _demo_people(departments, hashed):
            present = known.get(row.username)
            if present is None:
                list_person(tx, row)
            elif present.demo and present.password != hashed:
                present.password = hashed
                tx.session.add(present)


def _demo_people(departments: dict[str, DepartmentRow], hashed: str) -> list[PersonRow]:
    made = [
        PersonRow(
            username=name,
            display=display,
            role=str(role),
            department=code,
            password=hashed,
            demo=True,
        )
        for name, display, role, code in _PEOPLE
    ]
    made += [
        PersonRow(
            username=f"{name}.{code}",
            display=f"{row.zh}{title}",
            role=str(role),
            department=code,
            password=hashed,
            demo=True,
        )
        for code, row in departments.items()
        if code in DEPARTMENTS
        for name, title, role in _OF_EACH_DEPARTMENT
    ]
    return made
