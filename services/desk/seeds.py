"""What is shipped: departments, categories, and for a demonstration the people who work in them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from services.desk.store import CannedReplyRow, CategoryRow, DepartmentRow, PersonRow, canned
from services.desk.store.people import (
    all_categories,
    all_departments,
    everybody,
    hash_password,
    is_password,
    list_category,
    list_department,
    list_person,
)
from shared.contracts.vocabulary import Role
from shared.service import Service

DEPARTMENTS: dict[str, tuple[str, str]] = {
    "circulation": ("流通服务部", "Circulation"),
    "space": ("空间与读者服务部", "Space and Reader Services"),
    "eresources": ("资源建设部电子资源组", "E-resources"),
    "it": ("信息系统部", "Information Systems"),
    "facilities": ("后勤保障", "Facilities"),
    "office": ("馆办公室", "Library Office"),
    "acquisition": ("资源建设部采访组", "Acquisition"),
    "catalogue": ("编目典藏部", "Cataloguing and Stacks"),
    "events": ("文化活动部", "Cultural Events"),
    "special": ("特藏部", "Special Collections"),
    "reference": ("学科服务部", "Reference and Subject Services"),
    "ill": ("馆际互借组", "Interlibrary Loan"),
    "desk": ("综合服务台口", "Service Desk"),
    "security": ("保卫", "Security"),
    "relations": ("用户关系办公室", "User Relations Office"),
}
"""Code → (Chinese, English)."""

CATEGORIES: dict[str, tuple[str, str, str]] = {
    "circulation": ("借阅流通", "Circulation", "circulation"),
    "seats": ("座位与空间", "Seats and space", "space"),
    "eresources": ("电子资源与数据库", "E-resources and databases", "eresources"),
    "offcampus": ("校外访问与认证", "Off-campus access", "it"),
    "facilities": ("设施环境", "Facilities", "facilities"),
    "conduct": ("服务态度与纪律", "Staff conduct", "relations"),
    "systems": ("系统平台", "Systems", "it"),
    "acquisition": ("馆藏荐购", "Acquisition", "acquisition"),
    "catalogue": ("书目与排架", "Catalogue and shelving", "catalogue"),
    "events": ("活动讲座与展览", "Events and exhibitions", "events"),
    "special": ("古籍特藏", "Special collections", "special"),
    "reference": ("参考咨询与学科服务", "Reference", "reference"),
    "ill": ("馆际互借", "Interlibrary loan", "ill"),
    "rules": ("开放时间与规章", "Hours and rules", "office"),
    "entry": ("入馆与证件", "Entry and cards", "desk"),
    "printing": ("打印与研讨间设备", "Printing and study rooms", "space"),
    "safety": ("安全与失物", "Safety, lost and found", "security"),
    "accessibility": ("无障碍", "Accessibility", "office"),
    "international": ("国际学生", "International students", "reference"),
    "praise": ("表扬", "Praise", "relations"),
    "not_ours": ("非本馆事务", "Not the library's", "relations"),
}
"""Code → (Chinese, English, owning department)."""

_CANNED = Path(__file__).parent / "data/canned_replies.json"
"""Words for replies, for a demonstration."""
_RULES = {"seats": "《图书馆座位管理办法》（2025 年版）第 7 条"}
"""What replies cite, for a demonstration: category → rule."""
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
    """The shipped departments and categories that are not there yet; renamed ones stay renamed."""
    async with service.transaction() as tx:
        known = await all_departments(tx)
        for code, (zh, en) in DEPARTMENTS.items():
            if code not in known:
                list_department(tx, DepartmentRow(code=code, zh=zh, en=en))
        listed = await all_categories(tx)
        for code, (zh, en, owner) in CATEGORIES.items():
            if code not in listed:
                list_category(tx, CategoryRow(code=code, zh=zh, en=en, department=owner))


async def seed_demo_people(service: Service) -> None:
    """The demo accounts, all with the demo password; hashed once, since it is one password."""
    password = service.runtime.settings.demo_secret()
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
                row.locale = service.runtime.settings.locale
                list_person(tx, row)
            elif present.demo and present.password != hashed:
                present.password = hashed
                tx.session.add(present)


def canned_replies() -> list[dict[str, Any]]:
    """The words for replies that are shipped."""
    found: list[dict[str, Any]] = json.loads(_CANNED.read_text())
    return found


async def seed_demo_replies(service: Service) -> None:
    """Words that replies may begin with, and a rule to cite; what was changed stays changed."""
    async with service.transaction() as tx:
        for values in canned_replies():
            if await canned.reply(tx, values["reply_id"]) is None:
                row = CannedReplyRow.model_validate({"changed_at": tx.now, "position": 0} | values)
                canned.list_reply(tx, row)
        categories = await all_categories(tx)
        for code, rule in _RULES.items():
            if (row_of := categories.get(code)) is not None and row_of.rule is None:
                row_of.rule = rule
                list_category(tx, row_of)


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
