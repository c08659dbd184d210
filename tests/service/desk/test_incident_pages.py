"""Incidents through the pages: opened from cases, explained, answered, closed, and who is left."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.notification.wording import Details, compose
from shared.contracts.notification import NotificationFailed, NotificationSent
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, work

BROWSER = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
WORDS = "配件今天到，明早 9 点前修好。"


async def opened(desk: Desk, *ids: str) -> str:
    """An incident that the office opened from these cases, by its form."""
    form = "&".join(["title=AC", "text=broken", *(f"feedback_ids={one}" for one in ids)])
    answer = await desk.as_("coordinator").post("/api/incidents", content=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    await work(desk)
    return str(re.search(r"/desk/incidents/([^?]+)", answer.headers["location"])[1])  # type: ignore[index]


async def page(desk: Desk, incident: str, role: str = "coordinator", **headers: str) -> str:
    answer = await desk.as_(role).get(f"/desk/incidents/{incident}", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


async def test_an_incident_is_opened_from_cases_that_were_chosen(desk: Desk) -> None:
    ids = [await desk.case(title=f"空调{n} <b>", place="三层") for n in range(2)]
    office = desk.as_("coordinator")
    form = (await office.get(f"/desk/incidents?feedback_ids={ids[0]}&feedback_ids={ids[1]}")).text
    assert form.count('name="feedback_ids"') == 2
    assert "空调0 &lt;b&gt;" in form
    assert 'value="空调0' not in form, "nobody else reads what one person wrote"
    incident = await opened(desk, *ids)
    assert [(await shown(desk, one))["incident"] for one in ids] == [incident, incident]
    text = await page(desk, incident)
    assert text.count('id="of-') == 2
    assert all(f'id="of-{one}"' in text for one in ids)
    assert "三层" in text
    listed = (await office.get("/desk/incidents")).text
    assert f'href="/desk/incidents/{incident}"' in listed
    case = (await office.get(f"/desk/cases/{ids[0]}")).text
    assert f'<a href="/desk/incidents/{incident}" data-theirs>AC</a>' in case


async def test_whoever_sees_every_case_reads_it_and_the_office_writes(desk: Desk) -> None:
    incident = await opened(desk, await desk.case())
    for role in ("leader", "auditor"):
        text = await page(desk, incident, role)
        assert "/api/incidents/" not in text
    for path in ("/desk/incidents", f"/desk/incidents/{incident}"):
        assert (await desk.as_("liaison", "space").get(path)).status_code == 403
        assert (await desk.visitor().get(path, headers=BROWSER)).status_code == 303
    assert (await desk.as_("coordinator").get("/desk/incidents/x")).status_code == 404


async def send(desk: Desk, incident: str, action: str, **fields: str) -> str:
    form = "&".join(f"{name}={value}" for name, value in fields.items())
    path = f"/api/incidents/{incident}/{action}"
    answer = await desk.as_("coordinator").post(path, content=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"/desk/incidents/{incident}?job=")
    return str(answer.headers["location"])


async def test_the_answer_goes_out_and_the_page_says_how_far(desk: Desk) -> None:
    ids = [await desk.case() for _ in range(2)]
    incident = await opened(desk, *ids)
    where = await send(desk, incident, "reply", text=WORDS, outcome="solved")
    office = desk.as_("coordinator")
    running = (await office.get(where)).text
    assert "0 / 2" in running
    assert 'data-every="1"' in running
    await work(desk)
    done = (await office.get(where)).text
    assert "2 / 2" in done
    assert [(await shown(desk, one))["state"] for one in ids] == ["REPLIED", "REPLIED"]
    await send(desk, incident, "close", reason="x")
    assert "已结束" in await page(desk, incident)


async def test_the_form_that_closes_it_says_what_becomes_of_who_still_waits(desk: Desk) -> None:
    ids = [await desk.case() for _ in range(2)]
    incident = await opened(desk, *ids)
    text = await page(desk, incident)
    assert f'formaction="/api/incidents/{incident}/close"' in text
    assert "还有 2 件没有答复" in text
    assert 'name="waiting" value="go_on"' in text
    english = await page(desk, incident, **{"accept-language": "en"})
    assert "Not answered yet: 2." in english
    # The form as it was before somebody else came to wait.
    form = "reason=x"
    path = f"/api/incidents/{incident}/close"
    refused = await desk.as_("coordinator").post(path, content=form, headers=BROWSER)
    assert refused.status_code == 409
    assert "各自继续办理" in refused.text
    await send(desk, incident, "close", text=WORDS, outcome="solved", reason="", waiting="answer")
    await work(desk)
    assert [(await shown(desk, one))["state"] for one in ids] == ["REPLIED", "REPLIED"]
    over = await page(desk, incident)
    assert "已结束" in over
    assert "/close" not in over


async def test_nothing_is_said_of_an_incident_with_a_variable_left_in_it(desk: Desk) -> None:
    incident = await opened(desk, await desk.case())
    left = "{{称呼}}：修好了。"
    for action, body, field in (
        ("close", {"reason": left}, "reason"),
        ("explain", {"text": left}, "text"),
        ("reply", {"text": left, "outcome": "solved"}, "text"),
    ):
        answer = await desk.as_("coordinator").post(
            f"/api/incidents/{incident}/{action}", json=body
        )
        assert answer.status_code == 422, action
        assert answer.json()["errors"][field] == "还有没填上的：{称呼}。请写上它该是什么再发。"
    assert "已结束" not in await page(desk, incident)


async def test_who_joined_since_it_was_explained_is_marked(desk: Desk, clock: Any) -> None:
    first, late = await desk.case(), await desk.case()
    incident = await opened(desk, first)
    await send(desk, incident, "explain", text="new")
    await work(desk)
    assert "上次说明以后才加入" not in await page(desk, incident)
    clock.later(minutes=5)
    await desk.do(desk.as_("coordinator"), late, "join", incident=incident)
    text = await page(desk, incident)
    assert text.count("上次说明以后才加入") == 1
    assert text.index("上次说明以后才加入") > text.index(f"of-{late}")


async def test_readers_of_english_are_not_answered_in_chinese_alone(desk: Desk) -> None:
    one, other = await desk.case(), await desk.case(locale="en")
    incident = await opened(desk, one, other)
    assert "其中 1 位读者读英文" in await page(desk, incident)
    office = desk.as_("coordinator")
    where = f"/desk/incidents/{incident}/preview"
    said = (await office.post(where, data={"text": WORDS, "outcome": "solved"})).text
    assert "1 位读者读英文，这里没有英文" in said
    both = f"{WORDS}\n\nThe network works again since this morning."
    said = (await office.post(where, data={"text": both, "outcome": "solved"})).text
    assert "这里没有英文" not in said
    look = await desk.as_("coordinator").post(f"/api/cases/{other}/look", json={"text": WORDS})
    assert "language" in [hint["code"] for hint in look.json()["hints"]]
    look = await desk.as_("coordinator").post(f"/api/cases/{one}/look", json={"text": WORDS})
    assert "language" not in [hint["code"] for hint in look.json()["hints"]]


async def test_readers_of_english_get_the_answer_that_is_written_for_them(desk: Desk) -> None:
    ids = [await desk.case(), await desk.case(locale="en"), await desk.case(locale="en")]
    joined, late = await desk.case(), await desk.case()
    incident = await opened(desk, *ids)
    assert 'name="english"' in await page(desk, incident)
    office, english = desk.as_("coordinator"), "It works again, call 13911112222."
    await desk.do(office, joined, "merge", into=ids[2])
    both = {"text": WORDS, "english": english, "outcome": "solved"}
    for language, words in (("zh", WORDS), ("en", english)):
        where = f"/desk/incidents/{incident}/preview"
        said = (await office.post(where, data=both, headers={"accept-language": language})).text
        assert words.partition(",")[0] in said
        assert "这里没有英文" not in said
    await send(desk, incident, "reply", **both)
    await work(desk)
    shown = english.replace("13911112222", "〔电话〕")
    answers = {
        one: (await office.get(f"/api/cases/{one}")).json()["replies"][-1]["text"] for one in ids
    }
    assert answers[ids[0]] == WORDS
    assert answers[ids[1]] == english
    assert answers[ids[2]] == f"{WORDS}\n\n{english}", "who was joined reads the same"
    body = (await office.get(f"/api/incidents/{incident}")).json()
    assert body["answer"] == f"{WORDS}\n\n{shown}", "who comes later may read either"
    await desk.do(office, late, "join", incident=incident)
    await send(desk, incident, "close", waiting="answer", **both)
    await work(desk)
    assert (await office.get(f"/api/cases/{late}")).json()["replies"][-1]["text"] == WORDS


async def test_who_could_not_be_reached_is_said(desk: Desk, clock: Any) -> None:
    ids = [await desk.case() for _ in range(4)]
    mails = ({"email": f"{one}@example.edu"} for one in "abc")
    for one, contact in zip(ids, (*mails, {}), strict=True):
        await desk.process(examples.private(one, contact=contact))
    incident = await opened(desk, *ids)
    body = (await desk.as_("auditor").get(f"/api/incidents/{incident}")).json()
    assert body["reach"] == {"mail": 3, "wechat": 0, "page": 1}
    await send(desk, incident, "reply", text=WORDS, outcome="solved")
    await work(desk)
    clock.later(minutes=1)
    told = {"delivery_id": "d", "kind": "reply", "channel": "email", "audience": "reporter"}
    failed = told | {"reason": "mailbox full", "at": clock.now()}
    await desk.process(
        NotificationFailed(feedback_id=ids[0], **failed),
        NotificationFailed(feedback_id=ids[1], **failed),
        NotificationSent(feedback_id=ids[1], **told | {"at": clock.now()}),
        NotificationFailed(feedback_id=ids[2], **failed, uncertain=True),
    )
    body = (await desk.as_("auditor").get(f"/api/incidents/{incident}")).json()
    assert body["unreached"] == [ids[0]]
    assert body["unsure"] == [ids[2]], "nobody can know that it has not arrived"
    for language, lost, unsure in (
        ("zh", ("上次没有送到的：1", "</svg>没有送到</span>"), "不知道有没有送到</span>"),
        (
            "en",
            ("Not reached last time: 1", "</svg>Not reached</span>"),
            "Not known whether reached</span>",
        ),
    ):
        text = await page(desk, incident, **{"accept-language": language})
        assert [text.count(words) for words in (*lost, unsure)] == [1, 1, 1]


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_the_preview_is_what_reporters_will_read(desk: Desk, locale: str) -> None:
    ids = [await desk.case() for _ in range(2)]
    await desk.process(examples.private(ids[0], contact={"email": "a@example.edu"}))
    incident = await opened(desk, *ids)
    answer = await desk.as_("coordinator").post(
        f"/desk/incidents/{incident}/preview",
        content="text=<b>tel 13911112222</b>&outcome=solved",
        headers=BROWSER | {"hx-request": "true", "accept-language": locale},
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "<b>tel" not in answer.text
    assert answer.text.count("13911112222") == 1, "masked where everybody can read it"
    subject, letter = compose("reply", Details(url="…", locale=locale, params={"text": "words"}))
    frame = [subject, *(line for line in letter.splitlines() if line not in ("", "words", "…"))]
    for line in frame:
        assert line in answer.text, line
    whole = await desk.as_("coordinator").post(
        f"/desk/incidents/{incident}/preview", content=f"text={WORDS}", headers=BROWSER
    )
    assert f">{WORDS}</textarea>" in whole.text, "also without script, with the words kept"
    assert (await desk.as_("leader").post(f"/desk/incidents/{incident}/preview")).status_code == 403
