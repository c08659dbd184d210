from __future__ import annotations

import re

import pytest

from services.desk.api.bodies import BODIES, NoBody
from services.desk.domain import OFFERED, Action
from services.desk.store.looks import QUEUES
from shared.contracts.intake import FeedbackAppealed
from shared.contracts.vocabulary import Clock
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_alarms import alarm
from tests.support import at

HOSTILE = "<script>alert(1)</script>{{98765*98765}} \u202egnp.exe"


@pytest.mark.parametrize(
    "who",
    [
        ("coordinator", "relations"),
        ("leader", None),
        ("auditor", None),
        ("clerk", "desk"),
        ("student", "desk"),
        ("liaison", "space"),
        ("handler", "space"),
        ("reviewer", "space"),
    ],
)
async def test_everybody_has_a_desk_with_every_queue(
    desk: Desk, who: tuple[str, str | None]
) -> None:
    feedback_id = await desk.in_progress(entered_by="clerk", place="三层")
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, "2026-03-11 10:00"))
    visitor = desk.as_(*who, name=who[0])
    assert (await visitor.get("/desk")).status_code == 200
    for queue in QUEUES:
        page = await visitor.get(f"/desk?queue={queue}")
        assert page.status_code == 200
        assert 'id="live"' in page.text


async def test_only_the_live_part_is_sent_to_a_page_that_is_open(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    part = await office.get(
        "/desk?queue=triage", headers={"hx-request": "true", "hx-target": "live"}
    )
    assert part.status_code == 200
    assert "<html" not in part.text
    assert f"row-{feedback_id}" in part.text
    lost = await desk.visitor().get("/desk", headers={"hx-request": "true"})
    assert lost.status_code == 401


async def test_queues_show_how_much_waits(desk: Desk) -> None:
    await desk.case()
    await desk.case()
    page = await desk.as_("coordinator").get("/desk?queue=triage")
    assert 'data-put="n-triage" value="2"' in page.text


async def test_a_matter_offers_what_this_person_may_do_now(desk: Desk) -> None:
    await desk.person("wang", role="handler", department="space")  # type: ignore[arg-type]
    feedback_id = await desk.case()
    await desk.process(examples.undecided(feedback_id))
    office = await desk.as_("coordinator").get(f"/desk/cases/{feedback_id}")
    assert f'action="/api/cases/{feedback_id}/dispatch"' in office.text
    assert f'action="/api/cases/{feedback_id}/accept"' not in office.text
    assert 'name="seen" value="2"' in office.text
    auditor = await desk.as_("auditor").get(f"/desk/cases/{feedback_id}")
    assert "/api/cases/" not in auditor.text

    await desk.do(desk.as_("coordinator"), feedback_id, "dispatch", department="space")
    liaison = desk.as_("liaison", "space")
    await desk.do(liaison, feedback_id, "accept")
    page = await liaison.get(f"/desk/cases/{feedback_id}")
    assert '<option value="wang">wang 老师</option>' in page.text


async def test_words_are_shown_as_words(desk: Desk) -> None:
    feedback_id = await desk.case(text=HOSTILE, title=HOSTILE)
    office = desk.as_("coordinator")
    for page in (await office.get("/desk"), await office.get(f"/desk/cases/{feedback_id}")):
        assert "<script>alert" not in page.text
        assert str(98765 * 98765) not in page.text
        assert "{{98765*98765}}" in page.text
        assert "\u202e" not in page.text
        assert "unsafe-inline" not in page.headers["content-security-policy"]


async def test_a_matter_that_is_not_theirs_is_a_page_that_says_so(desk: Desk) -> None:
    page = await desk.as_("coordinator").get("/desk/cases/x", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "没有找到" in page.text


async def test_every_page_speaks_english(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    for address in ("/desk", f"/desk/cases/{feedback_id}"):
        page = await handler.get(address, headers={"accept-language": "en"})
        assert 'lang="en"' in page.text
    assert "Accepted by Space and Reader Services" in page.text
    assert (await desk.visitor().get("/signin?lang=en")).status_code == 200


@pytest.mark.parametrize("query", ["queue=x", "q=a%00b", "cursor=x"])
async def test_an_address_made_up_by_somebody_is_422(desk: Desk, query: str) -> None:
    assert (await desk.as_("coordinator").get(f"/desk?{query}")).status_code == 422


async def test_every_action_that_may_be_taken_has_a_form_with_all_that_it_needs(desk: Desk) -> None:
    """No button that is always answered with "please fill in"."""
    triage, fresh, alarmed = await desk.case(), await desk.in_progress(), await desk.case()
    working, reviewed = await desk.in_progress(), await desk.in_progress()
    replied, appealed, rejected = await desk.replied(), await desk.case(), await desk.case()
    office, liaison = desk.as_("coordinator"), desk.as_("liaison", "space")
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await desk.do(liaison, working, "add_department", department="it", question="x")
    await desk.do(handler, reviewed, "submit", text="x", outcome="solved")
    await desk.do(handler, reviewed, "extend", until="2026-04-01T08:00+08:00", reason="x")
    for feedback_id in (appealed, rejected):
        await desk.do(office, feedback_id, "reject", reason="x")
    joined, of_incident = await desk.case(), await desk.case()
    await desk.do(office, joined, "merge", into=working)
    await desk.do(office, of_incident, "link", to=working)
    opened = await office.post("/api/incidents", json={"title": "x", "text": "y"})
    await desk.do(office, of_incident, "join", incident=opened.json()["incident_id"])
    appeal = FeedbackAppealed(feedback_id=appealed, at=examples.RECEIVED, reason="x")
    promises = Promises(working)
    due = at("2026-03-04 10:03")
    await desk.process(
        appeal,
        promises.change("promised", Clock.RESOLUTION, due, at=examples.RECEIVED),
        promises.breached(Clock.RESOLUTION, at=due),
        alarm(desk, alarmed),
    )
    shown = set()
    for who, feedback_id in (
        *((office, f) for f in (triage, working, replied, rejected, joined, of_incident, alarmed)),
        *((w, f) for w in (liaison, handler, head) for f in (working, reviewed)),
        (handler, fresh),
        (desk.as_("handler", "it"), working),
        (desk.as_("leader"), appealed),
    ):
        may = (await who.get(f"/api/cases/{feedback_id}")).json()["may"]
        page = (await who.get(f"/desk/cases/{feedback_id}")).text
        forms = dict(re.findall(r'<form [^>]*/cases/[^/"]+/(\w+)"(.*?)</form>', page, re.S))
        for action in may:
            body = BODIES.get(Action(action), NoBody)
            needed = {f.alias or n for n, f in body.model_fields.items() if f.is_required()}
            assert needed <= set(re.findall(r'name="(\w+)"', forms[action])), action
            shown.add(action)
    assert set(OFFERED) - shown <= {"accept", "return", "claim", "assign", "resume", "restore"}


async def test_a_form_splits_by_paragraphs(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    path = f"/api/cases/{feedback_id}/split"
    html = {"accept": "text/html"}
    one = await office.post(path, data={"parts": "只有一段"}, headers=html)
    assert one.status_code == 422
    done = await office.post(path, data={"parts": "占座\r\n \r\n空调\n太冷"}, headers=html)
    assert done.status_code == 303
    children = (await office.get(f"/api/cases/{feedback_id}")).json()["children"]
    assert [(await office.get(f"/api/cases/{c}")).json()["text"] for c in children] == [
        "占座",
        "空调\n太冷",
    ]


async def test_a_reply_is_read_beside_what_it_answers(desk: Desk) -> None:
    feedback_id = await desk.in_progress(text="三层的灯太暗。")
    handler, head = desk.as_("handler", "space", name="wang"), desk.as_("reviewer", "space")
    await desk.do(handler, feedback_id, "submit", text="今天换了新灯管。", outcome="solved")
    page = (await head.get(f"/desk/cases/{feedback_id}")).text
    assert '<div class="bubble-text" id="review-text">今天换了新灯管。</div>' in page
    assert 'id="do-approve-main"' in page
    assert 'id="do-send_back"' in page
    # As it is, or changed: the words stand in one of the two forms only.
    assert page.count(">今天换了新灯管。</textarea>") == 1
    own = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert 'id="review-text"' in own
    assert 'id="do-approve-main"' not in own


async def test_more_time_is_answered_where_it_is_asked_for(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space", name="wang"), desk.as_("reviewer", "space")
    until = "2026-03-20T17:00:00+08:00"
    await desk.do(handler, feedback_id, "extend", until=until, reason="等配件。")
    page = (await head.get(f"/desk/cases/{feedback_id}")).text
    assert "等配件。" in page
    assert 'type="datetime-local" value="2026-03-20T17:00"' in page
    assert 'id="do-refuse_extension"' in page
    answer = await head.post(
        f"/api/cases/{feedback_id}/grant_extension",
        data={"until": "2026-03-19T17:00", "note": "", "seen": ""},
        headers={"accept": "text/html"},
    )
    assert answer.status_code == 303
    page = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert "已同意延到" in page
    assert 'id="do-grant_extension' not in page


async def test_a_second_department_reads_what_it_is_asked(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    office = desk.as_("coordinator")
    await desk.do(
        office, feedback_id, "add_department", department="it", question="是不是网络的事？"
    )
    other = desk.as_("handler", "it")
    page = (await other.get(f"/desk/cases/{feedback_id}")).text
    assert "是不是网络的事？" in page
    assert 'id="do-finish_part-main"' in page
    await desk.do(other, feedback_id, "finish_part", text="网络正常。")
    assert "网络正常。" in (await office.get(f"/desk/cases/{feedback_id}")).text


async def test_what_waits_for_one_person_has_a_queue(desk: Desk) -> None:
    late, refused = await desk.in_progress(), await desk.case()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await desk.do(handler, late, "extend", until="2026-04-01T08:00+08:00", reason="x")
    await desk.do(desk.as_("coordinator"), refused, "reject", reason="x")
    await desk.process(FeedbackAppealed(feedback_id=refused, at=examples.RECEIVED, reason="x"))
    page = (await head.get("/desk?queue=extensions")).text
    assert 'data-put="n-extensions" value="1"' in page
    assert f"row-{late}" in page
    page = (await desk.as_("leader").get("/desk?queue=appeals")).text
    assert 'data-put="n-appeals" value="1"' in page
    assert f"row-{refused}" in page


async def test_what_is_promised_anew_strikes_no_date_of_before(desk: Desk) -> None:
    """It is worked on again only where the case is: a clock of a case that was passed on is new,
    too."""
    office = desk.as_("coordinator")
    for cycle, struck, again in ((1, True, False), (2, False, False), (2, False, True)):
        feedback_id = await desk.in_progress()
        if again:
            handler = desk.as_("handler", "space")
            await desk.do(handler, feedback_id, "reply", text="您好，好了", outcome="solved")
            await desk.do(office, feedback_id, "reopen", reason="没有好")
        promises = Promises(feedback_id)
        await desk.process(
            promises.change(
                "promised",
                Clock.RESOLUTION,
                at("2026-03-06 13:45"),
                at=examples.RECEIVED,
                cycle=cycle,
                first_due=at("2026-03-11 17:30"),
            )
        )
        page = (await office.get(f"/desk/cases/{feedback_id}")).text
        due = page.split('id="promise-h"')[1].split("</section>")[0]
        assert ("<del>" in due) is struck
        assert ("重新办理，新的期限" in due) is again


async def test_a_leader_finds_first_what_waits_for_them(desk: Desk) -> None:
    leader = desk.as_("leader")
    page = (await leader.get("/desk")).text
    assert "没有超期的" in page
    late, refused = await desk.in_progress(), await desk.case()
    await desk.process(examples.promised(late, Clock.RESOLUTION, "2026-03-04 10:04"))
    assert f"row-{late}" in (await leader.get("/desk")).text
    await desk.do(desk.as_("coordinator"), refused, "reject", reason="x")
    await desk.process(FeedbackAppealed(feedback_id=refused, at=examples.RECEIVED, reason="x"))

    page = (await leader.get("/desk")).text

    assert f"row-{refused}" in page
    assert f"row-{late}" not in page
    assert 'data-put="n-appeals" value="1"' in page
    assert 'data-put="n-overdue" value="1"' in page
    # It stays what they look at, whatever is first by then.
    assert 'id="live" hx-get="/desk?queue=appeals"' in page
    assert 'id="live" hx-get=""' in (await leader.get("/desk?queue=overdue")).text


async def test_what_a_person_decided_has_their_words_first_and_the_systems_view_apart(
    desk: Desk,
) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id, "space"))
    office = desk.as_("coordinator")
    box = _box((await office.get(f"/desk/cases/{feedback_id}")).text)
    assert "按规则" in box
    assert box.count("93%") == 1
    await desk.do(office, feedback_id, "dispatch", department="it", reason="是打印机")
    await desk.read_back(feedback_id)

    box = _box((await office.get(f"/desk/cases/{feedback_id}")).text)

    decision, view = box.split("系统的看法")
    assert "改派给信息系统部" in decision
    assert "是打印机" in decision
    assert "%" not in decision
    assert "建议交给空间" in view
    assert "提到“占座”" in view
    assert view.count("93%") == 1
    why = (await office.get(f"/api/cases/{feedback_id}")).json()["why"]
    assert set(why) == {"decided", "confidence", "reasons", "candidates"}


def _box(page: str) -> str:
    """Why a case is where it is."""
    return page.split('id="why-h"')[1].split("</section>")[0]
