"""Names that are taken, and what nobody would be left to do."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from services.desk.store import CategoryRow, DepartmentRow
from services.desk.store.people import list_department, list_person, person
from services.desk.store.posts import check_names, nobody_left, posts_filled
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Role
from tests.service.desk.conftest import Desk


@pytest.mark.parametrize(
    ("code", "zh", "en", "who"),
    [
        ("it2", "档案馆", "Archives", None),
        ("it", "信息系统部", "Information Systems", None),
        ("it2", "信息系统部", "Something else", "it"),
        ("it2", "信息 系统部", "Something else", "it"),
        ("it2", "别的部", " information  SYSTEMS ", "it"),
        ("it2", "Ｉnformation Systems", "Something else", "it"),
    ],
)
async def test_no_two_departments_are_called_the_same(
    desk: Desk, code: str, zh: str, en: str, who: str | None
) -> None:
    async with desk.service.transaction() as tx:
        if who is None:
            return await check_names(tx, DepartmentRow, code, zh, en)
        with pytest.raises(Conflict) as refused:
            await check_names(tx, DepartmentRow, code, zh, en)
        for said in (refused.value.zh, refused.value.en):
            assert f"{who}（信息系统部" in said or f"{who} (信息系统部" in said


async def test_a_name_is_free_once_its_department_is_closed_and_categories_likewise(
    desk: Desk,
) -> None:
    async with desk.service.transaction() as tx:
        row = await tx.session.get(DepartmentRow, "it")
        assert row is not None
        row.active = False
        list_department(tx, row)
    async with desk.service.transaction() as tx:
        await check_names(tx, DepartmentRow, "it2", row.zh, row.en)
        seats = await tx.session.get(CategoryRow, "seats")
        assert seats is not None
        with pytest.raises(Conflict, match=r"category called .* already: seats"):
            await check_names(tx, CategoryRow, "seats2", seats.zh, "Other")


async def change(desk: Desk, name: str, *, force: bool = False, **values: object) -> object:
    async with desk.service.transaction() as tx:
        row = await person(tx, name)
        assert row is not None
        before = await posts_filled(tx)
        for field, value in values.items():
            setattr(row, field, value)
        list_person(tx, row)
        return await nobody_left(tx, before, name, force=force)


async def test_the_last_administrator_and_the_last_coordinator_stay_unless_it_is_meant(
    desk: Desk,
) -> None:
    await desk.person("root", Role.ADMIN)
    await desk.person("office", Role.COORDINATOR)
    other = {"role": "auditor", "roles": ["auditor"]}
    for values in (other, {"active": False}):
        with pytest.raises(Conflict, match="create-user NAME --role admin") as refused:
            await change(desk, "root", **values)
        assert "没有系统管理员了" in refused.value.zh
        assert "there is no administrator any more" in refused.value.en
    with pytest.raises(Conflict, match="no coordinator any more"):
        await change(desk, "office", active=False)
    async with desk.service.transaction() as tx:
        for name in ("root", "office"):
            row = await person(tx, name)
            assert row is not None
            assert row.active
            assert row.role != "auditor"

    await desk.person("second", Role.ADMIN)
    assert await change(desk, "root", **other) is None
    assert await change(desk, "second", force=True, active=False) == (
        "没有系统管理员了",
        "there is no administrator any more",
    )
    # Whoever was none before leaves nothing without anybody.
    assert await change(desk, "root", active=False) is None


async def test_a_department_without_anybody_is_said_and_not_refused(desk: Desk) -> None:
    await desk.person("one", Role.HANDLER, "space")
    await desk.person("two", Role.HANDLER, "space")
    assert await change(desk, "one", active=False) is None
    left = await change(desk, "two", department="it")
    assert left == (
        "没有空间与读者服务部的经办人了",
        "there is no handler of Space and Reader Services any more",
    )


async def command(desk: Desk, *words: str) -> tuple[int, str]:
    runtime = desk.service.runtime
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.desk", *words),
        env=os.environ
        | {
            "EXPRESS_DATA": str(runtime.settings.data),
            "EXPRESS_DATABASE": runtime.database,
            "EXPRESS_KAFKA": runtime.kafka,
            "EXPRESS_SECRET": "a secret for tests only",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_commands_refuse_it_in_one_line_and_change_nothing(desk: Desk) -> None:
    await desk.person("root", Role.ADMIN)
    await desk.person("one", Role.HANDLER, "space")
    for words, why in (
        (("add-department", "it2", "信息系统部", "Other"), "信息系统部，Information Systems"),
        (
            ("add-category", "seats2", "座位与空间", "Other", "it"),
            "已经有类别叫“座位与空间”：seats",
        ),
        (("set-roles", "root", "--role", "auditor"), "no administrator any more"),
        (("deactivate-user", "root"), "没有系统管理员了"),
    ):
        status, said = await command(desk, *words)
        assert (status, len(said.splitlines())) == (2, 1), said
        assert why in said
        assert " | " in said
    async with desk.service.transaction() as tx:
        assert await tx.session.get(DepartmentRow, "it2") is None
        row = await person(tx, "root")
        assert row is not None
        assert (row.active, row.role) == (True, "admin")
    status, said = await command(desk, "deactivate-user", "one")
    assert status == 0
    assert "注意：没有空间与读者服务部的经办人了 | mind: there is no handler of Space" in said
    assert (await command(desk, "deactivate-user", "root", "--force"))[0] == 0
