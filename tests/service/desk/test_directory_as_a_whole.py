"""Names that are taken, and what nobody would be left to do."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from services.desk.commands.listed import change_category, change_department
from services.desk.store import CaseRow, CategoryRow, DepartmentRow
from services.desk.store.closing import left_in_category, left_with_department
from services.desk.store.people import list_department, list_person, person
from services.desk.store.posts import check_names, nobody_left, posts_filled
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Role
from tests.service.desk import examples
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
    status, said = await command(desk, "add-department", "special", "--close")
    assert (status, said.splitlines()[0][-8:]) == (0, "| closed")
    status, said = await command(desk, "deactivate-user", "one")
    assert status == 0
    assert "注意：没有空间与读者服务部的经办人了 | mind: there is no handler of Space" in said
    assert (await command(desk, "deactivate-user", "root", "--force"))[0] == 0


async def test_what_stays_with_a_closed_department_is_said_and_what_to_do(desk: Desk) -> None:
    await desk.person("one", Role.HANDLER, "space")
    feedback_id = await desk.in_progress("space")
    await desk.replied("space")
    liaison = desk.as_("liaison", "space")
    await desk.do(liaison, feedback_id, "add_department", department="it", question="是系统吗？")
    await desk.process(examples.routed(await desk.case(), "it"))
    async with desk.service.transaction() as tx:
        space = dict(await left_with_department(tx, "space"))
        assert [en.partition(";")[0] for en in space.values()] == [
            "1 open cases stay with it",
            "these categories are still its own: printing, seats",
            "these accounts are still in it: one",
        ]
        (_, part, *_) = dict(await left_with_department(tx, "it")).values()
        assert part.startswith("it has a part in 1 open cases")
        assert await left_with_department(tx, "nowhere") == []
        row = await tx.session.get(CaseRow, feedback_id)
        assert row is not None
        ((_, en),) = await left_in_category(tx, row.category or "")
        assert "open cases stay in it" in en
        assert await left_in_category(tx, "praise") == []


async def test_to_close_the_code_is_enough_and_no_name_is_changed_by_it(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.person("one", Role.HANDLER, "special")

    async def done(*named: str, close: bool = False) -> str:
        kind, code, *rest = named
        zh, en, *more = (*rest, *[""] * (5 - len(rest)))
        async with desk.service.transaction() as tx:
            if kind == "department":
                return await change_department(tx, code, zh, en, close=close)
            return await change_category(tx, code, zh, en, more[0], more[1], close=close)

    for words, close, why in (
        (("department", "nothere"), True, "CODE: there is no 'nothere'; choose from"),
        (
            ("department", "office", "用户关系办公室", "User Relations Office"),
            True,
            "ZH: office has '馆办公室' there, not '用户关系办公室'; nothing was closed",
        ),
        (("category", "nothere"), True, "CODE: there is no 'nothere'; choose from"),
        (("category", "seats", "座位与空间", "Seats and space", "it"), True, "not 'it'"),
        (("category", "maps", "舆图", "Maps", "maps"), False, "there is no 'maps'; choose from"),
    ):
        with pytest.raises(SystemExit) as refused:
            await done(*words, close=close)
        assert refused.value.code == 2
        assert why in capsys.readouterr().err

    closed = await done("department", "special", close=True)
    assert closed.startswith("special: 特藏部 / Special Collections: 已停用 | closed\n")
    assert "its own: special;" in closed
    assert "still in it: one;" in closed
    assert "nothing was changed" in await done("department", "special", " 特藏部", close=True)
    with pytest.raises(SystemExit):  # nothing is given to what is closed
        await done("category", "maps", "舆图", "Maps", "special")
    assert "special" not in capsys.readouterr().err.partition("choose from")[2]

    for *words, said in (
        ("department", "special", "特藏", "Special Collections", "重新启用；改名，原为 特藏部"),
        ("department", "special", "特藏", "Special Collections", "nothing was changed"),
        ("department", "maps", "舆图组", "Maps", "maps: 舆图组 / Maps: 新增 | added"),
        ("category", "seats", "座位与空间", "Seats and space", "it", "it was with space"),
        ("category", "maps", "舆图", "Maps", "maps", "第 7 条", "新增 | added"),
        ("category", "maps", "舆图", "Maps", "maps", "-", "another rule is cited"),
    ):
        assert said in await done(*words)
    assert "Maps, maps: 已停用 | closed" in await done("category", "maps", close=True)
    async with desk.service.transaction() as tx:
        office = await tx.session.get(DepartmentRow, "office")
        assert office is not None
        assert (office.zh, office.active) == ("馆办公室", True)
        assert await tx.session.get(DepartmentRow, "nothere") is None
