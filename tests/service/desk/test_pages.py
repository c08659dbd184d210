from __future__ import annotations

import pytest

from services.desk.store.queues import QUEUES
from shared.contracts.vocabulary import Clock
from tests.service.desk import facts
from tests.service.desk.conftest import Desk

HOSTILE = "<script>alert(1)</script>{{7*7}} \u202egnp.exe"


@pytest.mark.parametrize(
    "who",
    [
        ("coordinator", "relations"),
        ("leader", None),
        ("auditor", None),
        ("admin", None),
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
    await desk.hear(facts.promised(feedback_id, Clock.RESOLUTION, "2026-03-11 10:00"))
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
    await desk.hear(facts.undecided(feedback_id))
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
        assert "49" not in page.text.split("{{7*7}}")[0][-20:]
        assert "{{7*7}}" in page.text
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
