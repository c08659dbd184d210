"""What a reporter sees of a case that does not go the ordinary way."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.contracts.desk import (
    CaseAbsorbed,
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealed,
    CaseClosed,
    CaseDepartmentAdded,
    CaseExtensionGranted,
    CaseInfoRequested,
    CaseJoinedIncident,
    CaseMarkedAsSpam,
    CaseMerged,
    CaseNoted,
    CasePartFinished,
    CasePersonalDataRead,
    CaseProgressed,
    CaseRecalled,
    CaseRejected,
    CaseReopened,
    CaseRestored,
    CaseResumed,
    CaseSplit,
    CaseSplitOff,
    CaseSupervised,
    CaseUnmerged,
    CaseWaitingExternal,
    CaseWithdrawn,
)
from shared.contracts.intake import FeedbackAppealed, FeedbackRated, FeedbackSupplemented
from shared.contracts.notification import NotificationSent
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import State
from shared.security import WHY, code_hash
from tests.service.tracking.conftest import Web
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story


async def seen(web: Web, code: str, lang: str = "zh") -> dict[str, Any]:
    answer = await web.get(f"/api/track/{code}?lang={lang}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def said(body: dict[str, Any]) -> list[str]:
    return [line["text"] for line in body["conversation"]]


async def test_waiting_for_a_vendor_says_for_whom_and_until_when(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.of(
            CaseWaitingExternal,
            department="it",
            waiting_for="{厂家}",
            until=at("2026-03-06 10:00"),
            reason="等配件 {dept}",
        ),
    )
    body = await seen(web, code)
    assert body["waiting_for"]["for"] == "{厂家}"
    assert body["waiting_for"]["until"] == "2026-03-06T10:00:00+08:00"
    # What people typed is no pattern.
    assert body["timeline"][-1]["text"] == "在等{厂家}：等配件 {dept}"
    page = await web.get(f"/track/{code}")
    assert "信息系统部正在办理，在等{厂家}。" in page.text
    await process_batch(web.service, story.of(CaseResumed, department="it", reason="until"))
    assert (await seen(web, code))["waiting_for"] is None


async def test_a_public_interim_word_is_part_of_the_conversation(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.of(CaseProgressed, department="it", text="配件明天到。"),
        story.of(CaseSupervised, department="it", text="快点办"),
        story.of(CaseNoted, department="it"),
        story.of(CasePersonalDataRead, what=("contact",)),
    )
    body = await seen(web, code)
    assert said(body)[-1] == "配件明天到。"
    assert [line["type"] for line in body["timeline"]][-2:] == [
        "case.progressed",
        "case.supervised",
    ]
    assert "快点办" not in str(body)


async def test_what_adds_to_an_answer_reads_so_in_both_languages(web: Web, code: str) -> None:
    story, joined = Story(code=code), {"into": "other", "kind": "progress"}
    sent = {"delivery_id": "d", "audience": "reporter", "kind": "progress", "channel": "email"}
    more = {"department": "it", "text": "更正：东区还没修好。"}
    await process_batch(
        web.service,
        *story.worked("it"),
        story.replied(text="修好了。"),
        story.later(hours=1).of(CaseProgressed, **more, state=State.REPLIED, amends=True),
        story.of(NotificationSent, **sent),
        story.of(CaseMerged, into="other", department="it"),
        story.of(CaseAnsweredThrough, **joined, **more, amends=True),
    )
    for lang, line in (("zh", "{}补充了答复。"), ("en", "{} added to the answer.")):
        body = (await web.get(f"/api/track/{code}?lang={lang}")).json()
        added, sent, _, through = [one["text"] for one in body["timeline"]][-4:]
        assert added == through == line.format(body["department_name"])
        assert "进展" not in sent
        assert "how it goes" not in sent.lower()
    assert said(body)[1:] == ["修好了。", more["text"], more["text"]]


async def test_a_case_that_was_joined_shows_the_other_ones_state_and_answers(
    web: Web, code: str
) -> None:
    story, other = Story(code=code), Story()
    await process_batch(web.service, *story.worked("space"), *other.worked("it"))
    await process_batch(
        web.service,
        other.of(FeedbackSupplemented, text="我的电话换了", words_id="w"),
        other.of(CaseInfoRequested, department="it", question="您是哪位？"),
        story.of(CaseMerged, into=other.id, department="space"),
        other.of(CaseAbsorbed, merged=story.id),
    )
    body = await seen(web, code)
    assert (body["state"], body["joined"]) == ("WAITING_USER", True)
    assert body["department"] == "it"
    assert "电话" not in str(body)
    assert "您是哪位" not in str(body)
    page = (await web.get(f"/track/{code}")).text
    assert "和同一件事并在一起办理" in page
    through = {"into": other.id, "department": "it"}
    await process_batch(
        web.service,
        other.later(hours=1).of(CaseProgressed, department="it", text="在修。"),
        story.later(hours=1).of(CaseAnsweredThrough, **through, kind="progress", text="在修。"),
        other.later(hours=1).replied(text="修好了。"),
        story.later(hours=1).of(
            CaseAnsweredThrough, **through, kind="reply", text="修好了。", outcome="solved"
        ),
    )
    body = await seen(web, code)
    assert [reply["text"] for reply in body["replies"]] == ["修好了。"]
    assert said(body)[-2:] == ["在修。", "修好了。"]
    await process_batch(
        web.service,
        story.of(CaseUnmerged, previous_into=other.id, reason="不是一件事", cycle=2),
        other.later(hours=1).of(CaseProgressed, department="it", text="只告诉他们。"),
    )
    body = await seen(web, code)
    assert (body["state"], body["joined"], body["back"]) == ("TRIAGE", False, None)
    # What they were told stays; of what comes later they hear nothing.
    assert [(reply["text"], reply["outcome"]) for reply in body["replies"]] == [
        ("修好了。", "solved")
    ]
    assert said(body)[-2:] == ["在修。", "修好了。"]
    assert "修好了。" in (await web.get(f"/track/{code}")).text


async def test_why_what_it_was_joined_to_was_rejected_stands_on_the_page_as_in_the_letter(
    web: Web, code: str
) -> None:
    story, other = Story(code=code), Story()
    await process_batch(web.service, *story.worked("space"), *other.begun())
    await process_batch(
        web.service,
        story.of(CaseMerged, into=other.id),
        other.of(CaseRejected, reason="不归图书馆管"),
        story.of(CaseAnsweredThrough, into=other.id, kind="reply", text="不归图书馆管"),
    )
    body = await seen(web, code)
    assert said(body)[-1] == "不归图书馆管"
    assert "rate" not in body["may"], "there is no answer to rate"


async def test_what_was_closed_with_its_incident_unanswered_says_so_and_asks_for_no_stars(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    until = at("2026-03-20 10:00")
    # As desk said it while that was possible.
    rights = {"rate": True, "reopen_until": until, "standing": "answered", "answered": True}
    await process_batch(
        web.service, *story.worked(), story.of(CaseClosed, how="incident", rights=rights)
    )
    body = await seen(web, code)
    assert (body["state"], body["answered"], body["replies"]) == ("CLOSED", False, [])
    assert "rate" not in body["may"]
    assert "reopen" in body["may"]
    page = (await web.get(f"/track/{code}")).text
    assert "没有单独答复您" in page
    assert "您觉得怎么样" not in page
    assert page.count('class="four-done"') == 1
    await process_batch(
        web.service,
        story.of(CaseReopened, reason="还没有好", cycle=2),
        story.later(hours=1).replied(),
    )
    assert "rate" in (await seen(web, code))["may"]


async def test_who_takes_back_what_was_joined_follows_the_other_one_no_more(
    web: Web, code: str
) -> None:
    story, other = Story(code=code), Story()
    await process_batch(web.service, *story.worked("space"), *other.worked("it"))
    await process_batch(
        web.service,
        story.of(CaseMerged, into=other.id),
        story.of(CaseWithdrawn),
        other.later(hours=1).replied(text="修好了。"),
    )
    body = await seen(web, code)
    assert (body["state"], body["joined"], body["replies"]) == ("WITHDRAWN", False, [])


async def test_joined_in_a_circle_still_shows_a_page(web: Web, code: str) -> None:
    story, other = Story(code=code), Story()
    await process_batch(
        web.service,
        *story.begun(),
        *other.begun(),
        story.of(CaseMerged, into=other.id),
        other.of(CaseMerged, into=story.id),
    )
    assert (await seen(web, code))["joined"] is True


async def test_what_was_put_together_again_is_one_matter(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseSplit, children=("one", "two")),
        story.of(CaseUnmerged, previous_into="", children=("one", "two"), reason="x", cycle=2),
    )
    body = await seen(web, code)
    assert (body["state"], body["joined"], body["parts"]) == ("TRIAGE", False, [])
    assert body["timeline"][-1]["text"] == "您说的几件事又合在一起办理。"
    assert "x" not in body["timeline"][-1]["text"]


async def test_one_code_shows_all_matters_it_was_split_into(web: Web, code: str) -> None:
    story, part = Story(code=code), Story()
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseSplit, children=(part.id,)),
        part.of(
            CaseSplitOff,
            parent=story.id,
            received_at=story.now,
            channel="web",
            title="插座没电",
            text="三层东区的插座没电。",
            code_hash=code_hash(code),
        ),
        part.dispatched("it"),
        part.accepted("it"),
        part.replied("it", text="插座修好了。"),
    )
    body = await seen(web, code)
    assert body["feedback_id"] == story.id
    assert [(p["title"], p["state"]) for p in body["parts"]] == [("插座没电", "REPLIED")]
    assert [reply["text"] for reply in body["replies"]] == ["插座修好了。"]
    page = (await web.get(f"/track/{code}")).text
    assert "您说的几件事分开办理" in page
    assert "插座没电" in page
    # What may be done about a part is done about that one.
    allowed = set(body["parts"][0]["may"])
    assert {"supplement", "rate", "reopen"} <= allowed
    assert set(forms_about(part, page)) == allowed


def forms_about(part: Story, page: str) -> list[str]:
    forms: list[str] = re.findall(rf'id="form-(\w+)-{part.id}"', page)
    assert page.count(f'name="part" value="{part.id}"') == len(forms)
    return forms


async def test_a_comment_all_parts_of_which_are_taken_back_is_taken_back(
    web: Web, code: str
) -> None:
    story, parts = Story(code=code), (Story(), Story())
    common = {"parent": story.id, "received_at": story.now, "channel": "web"}
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseSplit, children=tuple(part.id for part in parts)),
        *(part.of(CaseSplitOff, **common, text="灯", code_hash=code_hash(code)) for part in parts),
        parts[0].of(CaseWithdrawn),
    )
    assert "每一件各自办理" in (page := (await web.get(f"/track/{code}")).text)
    # Each part says where it is; the steps of the whole would say that nothing was done.
    assert 'class="four"' not in page
    await process_batch(web.service, parts[1].of(CaseWithdrawn))
    body = await seen(web, code)
    assert (body["state"], body["state_text"], len(body["parts"])) == ("WITHDRAWN", "已撤回", 2)
    page = (await web.get(f"/track/{code}")).text
    assert "您已经撤回，我们不再办理。</h1>" in page
    assert "各自办理" not in page


async def test_a_part_that_is_worked_on_is_urged_and_taken_back_on_the_page(
    web: Web, code: str
) -> None:
    story, part = Story(code=code), Story()
    split_off = part.of(
        CaseSplitOff,
        parent=story.id,
        received_at=story.now,
        channel="web",
        text="三层东区的插座没电。",
        code_hash=code_hash(code),
    )
    events = (story.of(CaseSplit, children=(part.id,)), split_off, part.dispatched("it"))
    await process_batch(web.service, *story.begun(), *events)
    assert set((await seen(web, code))["parts"][0]["may"]) == {"supplement", "urge", "withdraw"}
    page = (await web.get(f"/track/{code}")).text
    assert set(forms_about(part, page)) == {"supplement", "urge", "withdraw"}
    await process_batch(web.service, part.of(CaseWithdrawn))
    assert forms_about(part, (await web.get(f"/track/{code}")).text) == []


async def test_an_incident_is_explained_on_every_page_of_it(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseJoinedIncident, incident_id="i", title="三层停电", text="正在抢修。"),
    )
    body = await seen(web, code)
    assert body["incident"] == {"title": "三层停电", "text": "正在抢修。"}
    assert "正在抢修。" in (await web.get(f"/track/{code}")).text


async def test_who_tells_us_after_the_answer_reads_it_and_that_theirs_goes_on(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    said = {"incident_id": "i", "title": "三层停电", "text": "正在抢修。", "answer": "周五修好。"}
    joined = story.of(CaseJoinedIncident, **said, answered_at=at("2026-03-04 09:30"))
    await process_batch(web.service, *story.begun(), joined)
    body = await seen(web, code)
    assert body["incident"]["answer"] == "周五修好。"
    assert body["incident"]["answered_at"] == "2026-03-04T09:30:00+08:00"
    assert body["replies"] == []
    page = (await web.get(f"/track/{code}")).text
    assert "周五修好。" in page
    assert "您说的我们照样在办" in page
    anew = story.of(CaseJoinedIncident, incident_id="i", title="三层停电", text="又停了。")
    await process_batch(web.service, anew)
    assert "周五修好。" not in str((await seen(web, code))["incident"])


async def test_a_date_links_to_why_it_is_that_one_and_sla_never_learns_the_code(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.begun())
    body = await seen(web, code)
    assert set(body["why"]) == {"FIRST_RESPONSE", "RESOLUTION"}
    runtime = web.service.runtime
    token = body["why"]["RESOLUTION"].removeprefix("/sla/why/")
    assert runtime.signer.read_signed(WHY, token, runtime.clock.now()) == [story.id, "RESOLUTION"]
    assert code not in token
    page = (await web.get(f"/track/{code}")).text
    assert "/sla/why/" in page
    assert (await seen(web, code))["why"] == body["why"]


async def test_who_helps_more_time_and_fetched_back(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.of(CaseDepartmentAdded, department="space", question="空调呢？"),
        story.of(
            CaseExtensionGranted, department="it", until=at("2026-03-20 17:30"), reason="等货"
        ),
    )
    body = await seen(web, code)
    assert (body["helping"], body["extended"]) == (["空间与读者服务部"], True)
    assert "空调呢" not in str(body)
    await process_batch(
        web.service,
        story.of(CasePartFinished, department="space", text="看过了"),
        story.of(CaseRecalled, department="it", reason="派错了"),
    )
    body = await seen(web, code)
    assert (body["helping"], body["state"], body["department"]) == ([], "TRIAGE", None)
    assert "派错了" not in str(body)


async def test_an_appeal_and_its_result(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.replied("it"),
        story.of(CaseAppealed, previous=State.REPLIED, reason="还是坏的"),
    )
    assert (await seen(web, code))["state"] == "APPEALED"
    left = Rights(
        standing=CaseStanding.ANSWERED,
        answered=True,
        appeal_dismissed=True,
        reopen_until=web.clock.now() + timedelta(days=3),
        reopen_left=1,
    )
    await process_batch(
        web.service, story.of(CaseAppealDismissed, reason="已经换新。", rights=left)
    )
    body = await seen(web, code)
    assert body["state"] == "CLOSED"
    head = (await web.get(f"/track/{code}")).text.split('<section class="talk"')[0]
    assert "馆领导复核过，维持了信息系统部的答复。" in head
    assert "那是最后一次" in head
    assert said(body)[-1] == "已经换新。"
    assert "library leader" in str((await seen(web, code, "en"))["timeline"])


async def test_a_rejection_says_why_where_to_go_and_stays_one_after_its_appeal(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        story.received(),
        story.opened(),
        story.of(CaseRejected, reason="车棚归后勤处。", instead="请打后勤处电话 {dept}"),
    )
    body = await seen(web, code)
    assert "请打后勤处电话 {dept}。接下来" in body["next_step"]
    assert "馆领导复核" in body["next_step"]
    assert body["may"] == ["supplement", "appeal"]
    await process_batch(
        web.service,
        story.later(hours=1).of(FeedbackAppealed, reason="不服"),
        story.of(CaseAppealed, previous=State.REJECTED, department=None, reason="不服"),
        story.of(CaseAppealDismissed, reason="归属没有错。", department=None),
    )
    body = await seen(web, code)
    assert (body["state"], body["state_text"], body["may"]) == ("CLOSED", "不予受理", [])
    assert "请打后勤处电话" in body["next_step"]
    assert "另提一条" in body["next_step"]
    assert said(body)[-1] == "归属没有错。"
    page = (await web.get(f"/track/{code}?lang=en")).text
    head = page.split('<section class="talk"')[0]
    assert "A leader looked at it again" in head
    assert "This is finished" not in page
    assert (await seen(web, code, "en"))["state_text"] == "Not accepted"
    await process_batch(
        web.service, story.of(CaseRestored, previous=State.CLOSED, reason="归我们", cycle=2)
    )
    body = await seen(web, code)
    assert (body["state"], body["rejected"]) == ("TRIAGE", None)


async def test_spam_says_what_its_sender_can_do(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service, story.received(), story.opened(), story.of(CaseMarkedAsSpam, reason="x")
    )
    assert "另提一条" in (await seen(web, code))["next_step"]


async def test_what_is_left_after_a_reply_follows_what_may_be_done(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"), story.replied(text="修好了。"))
    assert "重新办" in (await seen(web, code))["next_step"]
    story.desk.case = replace(story.desk.case, reopened=2)
    await process_batch(web.service, story.later(hours=1).replied(text="真修好了。"))
    body = await seen(web, code)
    assert "reopen" not in body["may"]
    assert "重新办" not in body["next_step"]
    assert "馆领导复核" in body["next_step"]


async def test_whoever_was_joined_and_has_rated_is_not_asked_again(web: Web, code: str) -> None:
    story, other = Story(code=code), Story()
    await process_batch(web.service, *story.worked("it"), *other.worked("it"))
    await process_batch(
        web.service,
        story.of(CaseMerged, into=other.id, department="it"),
        other.later(hours=1).replied(text="修好了。"),
        story.of(
            CaseAnsweredThrough,
            into=other.id,
            kind="reply",
            department="it",
            text="修好了。",
            outcome="solved",
        ),
    )
    assert "解决了没有" in (await seen(web, code))["next_step"]
    await process_batch(web.service, story.of(FeedbackRated, stars=1, solved="no"))
    body = await seen(web, code)
    assert "rate" not in body["may"]
    assert "解决了没有" not in body["next_step"]
    assert "可以请我们重新办" in body["next_step"]


async def test_what_was_split_is_not_called_joined(web: Web, code: str) -> None:
    story, one = Story(code=code), Story()
    await process_batch(
        web.service,
        *story.worked("it"),
        one.of(
            CaseSplitOff,
            parent=story.id,
            received_at=story.now,
            channel="web",
            text="灯坏了",
            title="灯",
            code_hash="h",
        ),
        story.of(CaseSplit, children=(one.id,)),
    )
    assert (await seen(web, code))["state_text"] == "已分开办理"
    # Staff read so too, in what stands behind a number and in the table of a report.
    path = "cases?measure=received&from=2026-03-04&to=2026-03-04"
    behind = (await web.get(f"/api/dashboard/{path}", as_="leader")).json()["items"]
    assert {one["feedback_id"]: one["split"] for one in behind} == {story.id: True, one.id: False}
    page = (await web.get(f"/dashboard/{path}", as_="leader")).text
    assert "已拆分" in page
    assert "已并案" not in page
    table = await web.get("/api/reports/cases.csv?kind=week&at=2026-03-04", as_="leader")
    assert [story.id in line for line in table.text.splitlines() if "已拆分" in line] == [True]
    assert "已并案" not in table.text
    assert "Handled separately" in (await web.get(f"/track/{code}?lang=en")).text
