"""``/sla/calendar`` and ``/sla/policy``: read by all staff, changed by an administrator."""

from __future__ import annotations

import re

import pytest

from services.sla import jobs
from services.sla.jobs.trials import work_on_trial
from services.sla.store.cases import groups_seen
from shared.contracts.sla import OrdinaryPromisesSet, QuietHoursSet
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from shared.service import Service
from tests.service.sla.support import ordinary, received
from tests.service.sla.test_calendar import Client, client, signed_in
from tests.support import outbox_of, process_batch

__all__ = ["client"]

OF_A_GROUP = {"reporter_group": "summer_school"}


def browser(sla: Service, role: str = Role.ADMIN, language: str = "zh") -> dict[str, str]:
    """The headers of somebody who sits before a browser."""
    token = signed_in(sla, role)["Authorization"].removeprefix("Bearer ")
    return {
        "Cookie": f"express_session={token}",
        "Accept": "text/html",
        "Accept-Language": language,
        "Origin": "http://127.0.0.1:8080",
    }


@pytest.mark.parametrize("path", ["/sla/calendar", "/sla/policy"])
async def test_all_staff_read_and_only_an_administrator_is_offered_to_change(
    sla: Service, client: Client, path: str
) -> None:
    for role, edits in ((Role.ADMIN, True), (Role.HANDLER, False), (Role.AUDITOR, False)):
        page = await client.get(path, headers=browser(sla, role))
        assert page.status_code == 200, page.text
        assert ("btn-primary" in page.text or "/sla/policy/edit" in page.text) is edits
    away = await client.get(path, headers={"Accept": "text/html"})
    assert away.status_code == 303
    assert away.headers["location"].startswith("/signin?next=")


async def test_the_year_shows_what_each_day_is(sla: Service, client: Client) -> None:
    page = (await client.get("/sla/calendar?year=2026", headers=browser(sla))).text
    assert page.count("data-day=") == 365
    # Months of five weeks and of six are drawn alike.
    months = re.findall(r'<table class="month".*?</table>', page, re.S)
    assert [month.count("<tr>") for month in months] == 12 * [1 + 6]
    national = re.search(r'<td class="([^"]*)"><a [^>]*data-day="2026-10-01"[^>]*>', page)
    assert national is not None
    assert "d-holiday" in national[1]
    assert "国庆节" in national[0]
    assert re.search(r'<td class="d-make_up"><a [^>]*data-day="2026-10-10"', page)
    assert re.search(r'today[^"]*"><a [^>]*data-day="2026-03-04"', page)
    assert "暂定" not in page
    # The frame of every page has words of its own for what it says on top.
    assert "Year(" not in page
    assert "<h3>放假</h3>" in page
    later = (await client.get("/sla/calendar?year=2027", headers=browser(sla))).text
    assert "2027 年的放假安排还没有公布" in later


async def test_a_change_leads_to_what_it_moves_and_then_counts(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary())
    form = {"action": "holiday", "first": "2026-03-10", "last": "2026-03-11", "name": "馆庆"}
    sent = await client.post("/sla/calendar?year=2026", data=form, headers=browser(sla))
    assert sent.status_code == 303, sent.text
    trial = sent.headers["location"]
    waiting = (await client.get(trial, headers=browser(sla))).text
    assert "正在算" in waiting
    assert 'http-equiv="refresh"' in waiting
    while await work_on_trial(sla):
        pass
    page = (await client.get(trial, headers=browser(sla))).text
    assert "/desk/cases/case-1" not in page  # an administrator reads no mail: it would not open
    # In the form of the house: a case by what it is, a time as people say it.
    assert re.search(r'<time datetime="2026-03-13T10:00:00[^>]*>下周五 10:00</time>', page)
    assert 'title="case-1">没有分类 …case-1</span>' in page
    assert "收到于" in page
    assert 'http-equiv="refresh"' not in page
    saved = await client.post(trial, headers=browser(sla))
    assert saved.headers["location"] == "/sla/calendar?saved=2&year=2026"
    year = (await client.get(saved.headers["location"], headers=browser(sla))).text
    assert "已保存" in year
    assert "馆庆" in year


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"action": "hours", "first": "2026-03-10", "hours": "上午"}, "不是上班时间"),
        ({"action": "holiday", "first": "2026-03-10"}, "请写上名称"),
        ({"action": "notice", "notice": "{"}, "读不懂"),
        ({"action": "week", "week.mon": ""}, "至少要有一天上班"),
        ({"action": "period", "name": "暑假", "first": "2026-08-01", "last": "x"}, "到：请写成"),
        ({"action": "closed", "first": "soon"}, "从：请写成"),
        ({"action": "closed", "first": "9999-12-31"}, "9999-12-31 不在里面"),
        ({"action": "holiday", "first": "2026-03-10", "name": 201 * "很"}, "名称：最多 200 个字"),
        ({"action": "week", "week.mon": "8" * 201, "week.tue": ""}, "不是上班时间"),
        ({"action": "publish", "year": "2101"}, "年份：不大于 2098"),
    ],
)
async def test_what_is_wrong_is_said_where_it_was_typed(
    sla: Service, client: Client, form: dict[str, str], words: str
) -> None:
    page = await client.post("/sla/calendar", data=form, headers=browser(sla))
    assert page.status_code == 422
    assert words in re.sub(
        r"\s+", " ", "".join(re.findall(r'role="alert"[^>]*>([^<]*)', page.text))
    )
    refused = await client.post("/sla/calendar", data=form, headers=browser(sla, Role.LEADER))
    assert refused.status_code == 403


async def test_the_table_of_promises_is_edited_as_a_table(sla: Service, client: Client) -> None:
    page = (await client.get("/sla/policy/edit", headers=browser(sla))).text
    form = dict(re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', page))
    assert form["r2.RESOLUTION"] == "5 个工作日"
    assert form["r0.TRIAGE"] == "15 分钟（不分昼夜）"
    form = {name: value for name, value in form.items() if not name.endswith(".drop")}
    # As it stands it is the policy in force.
    sent = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert sent.status_code == 303, sent.text
    assert "没有不同" in (await client.get(sent.headers["location"], headers=browser(sla))).text

    form |= {"r2.RESOLUTION": "3 working days", "r2.escalate": "50% Department head, 100 leader"}
    form |= {"r7.name": "students", "r7.RESOLUTION": "2wd", "r7.group": "students"}
    sent = await client.post("/sla/policy/edit", data=form, headers=browser(sla, language="en"))
    while await work_on_trial(sla):
        pass
    trial = (await client.get(sent.headers["location"], headers=browser(sla, language="en"))).text
    assert "5 working days" in trial
    assert "3 working days" in trial
    assert "As many breaches as before" in trial
    saved = await client.post(sent.headers["location"], headers=browser(sla))
    assert saved.headers["location"] == "/sla/policy?saved=2"
    shown = (await client.get("/sla/policy?from=1&to=2", headers=browser(sla))).text
    assert "<del>5 个工作日</del>" in shown
    assert "<ins>3 个工作日</ins>" in shown
    assert "students" in shown


async def test_what_is_promised_in_general_is_told_whenever_others_know_another(
    sla: Service, client: Client
) -> None:
    async def told() -> list[OrdinaryPromisesSet]:
        events = [e for e in await outbox_of(sla) if e["type"] == "directory.promises.v1"]
        return [OrdinaryPromisesSet.model_validate(e["body"]) for e in events]

    sla.runtime.directory.loaded = False
    assert not await jobs.tell_promises(sla)  # What others know is not read yet.
    sla.runtime.directory.loaded = True
    assert await jobs.tell_promises(sla)
    assert not await jobs.tell_promises(sla)
    (shipped,) = await told()
    assert [shipped.time_of(c) for c in ("FIRST_RESPONSE", "RESOLUTION")] == ["1wd", "5wd"]
    sla.runtime.directory.apply(shipped)

    policy = (await client.get("/api/sla/policy", headers=browser(sla))).json()
    rows = policy["rows"]
    rows["P3"]["clocks"] |= {"FIRST_RESPONSE": "1h", "RESOLUTION": "1wd"}
    # Meant for some only: it is no promise to everybody.
    rows["seats"] = rows["P3"] | {"clocks": {"RESOLUTION": "9wd"}, "when": {"category": ["seats"]}}
    body = {k: policy[k] for k in ("rows", "defaults", "reopened_percent")}
    assert (await client.post("/api/sla/policy", json=body, headers=browser(sla))).is_success
    assert await jobs.tell_promises(sla)
    _, changed = await told()
    assert [changed.time_of(c) for c in ("FIRST_RESPONSE", "RESOLUTION")] == ["1h", "1wd"]


async def test_quiet_hours_are_published_with_the_promises(sla: Service, client: Client) -> None:
    shown = (await client.get("/sla/policy", headers=browser(sla))).text
    assert "每天 21:00–07:30" in shown
    assert "紧急（P1）不分昼夜" in shown
    page = (await client.get("/sla/policy/edit", headers=browser(sla))).text
    form = dict(re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', page))
    assert (form["quiet"], form["quiet_p1"]) == ("21:00–07:30", "")
    form = {name: value for name, value in form.items() if not name.endswith(".drop")}
    form |= {"quiet": "22点 至 7:00", "quiet_p1": "0:00-6:00"}
    sent = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    trial = (await client.get(sent.headers["location"], headers=browser(sla))).text
    assert "<del>21:00–07:30</del>" in trial
    assert "<ins>22:00–07:00</ins>" in trial
    await client.post(sent.headers["location"], headers=browser(sla))
    shown = (await client.get("/sla/policy?from=1&to=2", headers=browser(sla))).text
    assert "每天 22:00–07:00" in shown
    assert "紧急（P1）只在 00:00–06:00 安静" in shown

    # Everybody is told once; those who know it already are not told again.
    sla.runtime.directory.loaded = True
    assert await jobs.tell_quiet_hours(sla)
    assert not await jobs.tell_quiet_hours(sla)
    (told,) = [e for e in await outbox_of(sla) if e["type"] == "directory.quiet_hours.v1"]
    known = QuietHoursSet.model_validate(told["body"])
    assert (known.starts, known.ends, known.p1_starts, known.p1_ends) == (
        "22:00",
        "07:00",
        "00:00",
        "06:00",
    )
    sla.runtime.directory.apply(known)
    sla.deps.told_quiet = None
    assert not await jobs.tell_quiet_hours(sla)

    # What the last release reads has no word of them; an edit that names none keeps them.
    async with sla.engine.connect() as connection:
        bodies = await connection.exec_driver_sql("SELECT body FROM policies")
        assert all("quiet" not in body for (body,) in bodies)
    policy = (await client.get("/api/sla/policy", headers=browser(sla))).json()
    without = {k: v for k, v in policy.items() if k not in ("version", "quiet")}
    edited = await client.post("/api/sla/policy", json=without, headers=signed_in(sla))
    assert edited.json()["quiet"] == policy["quiet"]
    nowhere = without | {"quiet": {"starts": "9pm", "ends": "07:30"}}
    refused = await client.post("/api/sla/policy", json=nowhere, headers=signed_in(sla))
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("r2.RESOLUTION", "很快", "不是时长"),
        ("r2.escalate", "75% 校长", "读不懂"),
        ("r2.warn", "几乎", "不是百分数"),
        ("r2.name", "", "请写名称"),
        ("r2.name", "ordinary", "缺少这些行：P3"),
        ("r7.name", "有空格 的", "不能作行名"),
        ("quiet", "25:00–07:30", "不是一段时间"),
    ],
)
async def test_a_table_that_cannot_be_comes_back_as_it_was_typed(
    sla: Service, client: Client, field: str, value: str, words: str
) -> None:
    page = (await client.get("/sla/policy/edit", headers=browser(sla))).text
    form = dict(re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', page))
    form = {name: typed for name, typed in form.items() if not name.endswith(".drop")}
    back = await client.post("/sla/policy/edit", data=form | {field: value}, headers=browser(sla))
    assert back.status_code == 422
    assert words in back.text
    assert f'value="{value}"' in back.text
    # Where it is, in words, and one step away.
    if "缺少" not in words:
        (told,) = re.findall(r'<div class="problem" id="wrong".*?</div>', back.text, re.S)
        assert f'href="#{field}"' in told
        assert re.search(rf'<input [^>]*name="{field}"[^>]*aria-invalid="true"', back.text)


@pytest.mark.parametrize(
    ("first", "days", "past"),
    [("2029-06-13", 1, False), ("2020-06-10", 1, True), ("2026-03-14", 0, False)],
)
async def test_a_day_that_will_change_is_never_called_unchanged(
    sla: Service, client: Client, first: str, days: int, past: bool
) -> None:
    form = {"action": "closed", "first": first}
    sent = await client.post("/sla/calendar", data=form, headers=browser(sla))
    page = (await client.get(sent.headers["location"], headers=browser(sla))).text
    assert page.count(f'<th scope="row">{first}') == days
    assert ("有的日子已经过去" in page) is past
    unchanged = "从 2026-02-01 到 2029-02-02，还有这次写到的日子，没有哪一天的上班时间会变"
    assert (unchanged in page) is (days == 0)


async def test_a_year_that_no_calendar_has_is_shown_as_this_one(
    sla: Service, client: Client
) -> None:
    for asked in ("first=9999-12-31", "year=9999", "first=0001-01-01"):
        page = await client.get(f"/sla/calendar?{asked}", headers=browser(sla))
        assert page.status_code == 200
        assert 'data-day="2026-01-01"' in page.text


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("/sla/calendar?department=nope", "没有这个部门", "There is no such department"),
        ("/sla/policy?from=1&to=99", "没有这个版本", "There is no such version"),
        ("/sla/policy?from=x&to=1", "没有这个版本", "There is no such version"),
    ],
)
async def test_what_there_is_not_is_not_silently_something_else(
    sla: Service, client: Client, listed: None, path: str, zh: str, en: str
) -> None:
    for language, words in (("zh", zh), ("en", en)):
        page = await client.get(path, headers=browser(sla, language=language))
        assert page.status_code == 422
        assert words in page.text
    assert "去掉这个条件再看" in (await client.get(path, headers=browser(sla))).text


async def filled(sla: Service, client: Client, **more: str) -> dict[str, str]:
    """The form as it comes, and what somebody typed."""
    page = (await client.get("/sla/policy/edit", headers=browser(sla))).text
    form = dict(re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', page))
    form = {name: typed for name, typed in form.items() if not name.endswith(".drop")}
    return form | {name.replace("__", "."): value for name, value in more.items()}


@pytest.fixture
def listed(sla: Service) -> None:
    directory = sla.runtime.directory
    directory.departments["it"] = ("信息系统部", "Information Systems")
    directory.categories["systems"] = ("系统平台", "Systems", "it")


async def test_a_percentage_that_cannot_be_is_named_by_its_row_and_its_field(
    sla: Service, client: Client
) -> None:
    form = await filled(sla, client, r2__warn="200")
    back = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert back.status_code == 422
    assert '<a href="#r2.warn">P3 普通 · 提醒经办人</a>：须小于 100' in back.text
    assert re.search(r'name="r2.warn"[^>]*aria-invalid="true"', back.text)
    wrong = form | {"r2.warn": "75", "r2.escalate": "75% 校长"}
    back = await client.post("/sla/policy/edit", data=wrong, headers=browser(sla))
    assert "请写成“75% 部门负责人”" in back.text


@pytest.mark.parametrize("first", ["0001-01-01", "9999-12-31", "soon"])
async def test_days_of_receipt_that_cannot_be_are_refused_at_their_field(
    sla: Service, client: Client, first: str
) -> None:
    form = await filled(sla, client, first=first, last="9999-12-31")
    back = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert back.status_code == 422
    assert 'href="#first"' in back.text or 'href="#last"' in back.text


@pytest.mark.usefixtures("listed")
async def test_a_new_row_without_a_name_is_not_dropped(sla: Service, client: Client) -> None:
    form = await filled(sla, client, r7__FIRST_RESPONSE="1 小时", r7__department="it")
    back = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert back.status_code == 422
    assert '<a href="#r7.name">新的一行 · 名称</a>：请写名称。' in back.text
    assert re.search(r'id="r7.name"[^>]*aria-invalid="true"', back.text)
    assert re.search(r'name="r7.FIRST_RESPONSE"[^>]*value="1 小时"', back.text)
    assert '<option value="it" selected>信息系统部</option>' in back.text
    # Below what was typed stand two empty rows, however often it comes back.
    assert re.findall(r'id="(r\d+).name"', back.text) == ["r7", "r8", "r9"]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("dimension", "value", "words"),
    [
        ("department", "信息系统部", "没有这个部门：信息系统部"),
        ("department", "nodep", "没有这个部门：nodep"),
        ("category", "nothing", "没有这个类别：nothing"),
        ("group", "学生", "没有这个读者群体：学生"),
        ("channel", "fax", "须为 web、desk"),
        ("type", "noise", "须为 complaint"),
        ("priority", "P9", "须为 P1"),
        ("priority", "", "不会用到任何一件"),
    ],
)
async def test_a_row_that_fits_no_case_is_refused_by_form_and_program(
    sla: Service, client: Client, dimension: str, value: str, words: str
) -> None:
    form = await filled(sla, client, r7__name="students", r7__RESOLUTION="2wd")
    form[f"r7.{dimension}"] = value
    back = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert back.status_code == 422
    assert words in back.text
    at = f"r7.{dimension}" if value else "r7.department"
    assert f'<a href="#{at}">students' in back.text
    assert re.search(rf'<select [^>]*id="{at}" aria-invalid="true"', back.text)
    assert "<details open>" in back.text

    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    when = {"when": {dimension: [value]}} if value else {}
    policy["rows"]["students"] = {"clocks": {"RESOLUTION": "2wd"}} | when
    for path in ("policy", "policy/try"):
        refused = await client.post(f"/api/sla/{path}", json=policy, headers=signed_in(sla))
        assert refused.status_code == 422
        assert words in refused.json()["detail"]
        assert [w for w in refused.json()["errors"] if w.startswith("rows.students.when")]


@pytest.mark.usefixtures("listed")
async def test_a_row_is_for_what_is_chosen_from_lists(sla: Service, client: Client) -> None:
    page = (await client.get("/sla/policy/edit", headers=browser(sla, language="en"))).text
    for said in ("Information Systems", "Systems", "WeChat", "Complaint", "P1 Emergency"):
        assert f">{said}</option>" in page
    assert '<option value="students">Students</option>' in page
    form: dict[str, object] = dict(await filled(sla, client, r7__name="mine", r7__TRIAGE="1 h"))
    form |= {"r7.department": ["it"], "r7.channel": ["web", "wechat"], "r7.group": "students"}
    sent = await client.post("/sla/policy/edit", data=form, headers=browser(sla))
    assert sent.status_code == 303, sent.text
    assert (await client.post(sent.headers["location"], headers=browser(sla))).status_code == 303
    row = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()["rows"]["mine"]
    assert {dimension: codes for dimension, codes in row["when"].items() if codes} == {
        "department": ["it"],
        "group": ["students"],
        "channel": ["web", "wechat"],
    }
    shown = (await client.get("/sla/policy", headers=browser(sla))).text
    for said in ("信息系统部", "学生", "微信"):
        assert f"<span data-theirs>{said}</span>" in shown


async def test_a_group_that_somebody_wrote_of_is_one(sla: Service, client: Client) -> None:
    await process_batch(sla, received("2026-03-04 10:00").model_copy(update=OF_A_GROUP))
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    policy["rows"]["guests"] = {"clocks": {"TRIAGE": "1h"}, "when": {"group": ["summer_school"]}}
    done = await client.post("/api/sla/policy", json=policy, headers=signed_in(sla))
    assert done.status_code == 200, done.text
    page = (await client.get("/sla/policy/edit", headers=browser(sla))).text
    assert '<option value="summer_school" selected>summer_school</option>' in page


async def test_the_newest_cases_and_the_policy_in_force_say_which_groups_there_are(
    sla: Service, client: Client
) -> None:
    for group in ("summer_school", "exchange", "guests"):
        who = {"feedback_id": new_id(), "reporter_group": group}
        await process_batch(sla, received("2026-03-04 10:00").model_copy(update=who))
    async with sla.engine.connect() as connection:
        assert await groups_seen(connection) == {"summer_school", "exchange", "guests"}
        assert await groups_seen(connection, newest=2) == {"exchange", "guests"}
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    policy["rows"]["guests"] = {"clocks": {"TRIAGE": "1h"}, "when": {"group": ["summer_school"]}}
    done = await client.post("/api/sla/policy", json=policy, headers=signed_in(sla))
    assert done.status_code == 200, done.text
    async with sla.transaction() as tx:
        await tx.fetch("DELETE FROM cases")
    # A group that nobody wrote of any more still is one where something is promised to it.
    again = await client.post("/api/sla/policy", json=policy, headers=signed_in(sla))
    assert again.status_code == 200, again.text
