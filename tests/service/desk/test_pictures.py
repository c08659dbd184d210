"""Who at the desk is shown what a reporter sent as pictures."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.intake import FeedbackPicturesErased, PrivateErased, SentPicture
from shared.ids import new_id
from shared.security import PICTURE
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, split, work


def sent() -> SentPicture:
    return SentPicture(picture_id=new_id(), width=1600, height=1200)


async def seen(desk: Desk, feedback_id: str, role: str, department: str | None = None) -> Any:
    answer = await desk.as_(role, department).get(f"/api/cases/{feedback_id}")
    return answer.json().get("pictures") if answer.status_code == 200 else answer.status_code


async def test_pictures_stand_with_the_words_that_they_came_with(desk: Desk) -> None:
    first, later, another = sent(), sent(), sent()
    case = await desk.in_progress(pictures=(first, later))
    added = examples.supplemented(case).model_copy(update={"pictures": (another,)})
    await desk.process(added)
    body = (await desk.as_("handler", "space").get(f"/api/cases/{case}")).json()
    assert [one["picture_id"] for one in body["pictures"]] == [first.picture_id, later.picture_id]
    (said,) = [one for one in body["conversation"] if one["kind"] == "supplement"]
    assert [one["picture_id"] for one in said["pictures"]] == [another.picture_id]
    url = body["pictures"][0]["url"]
    path, _, key = url.partition("?key=")
    assert path == f"/pictures/{first.picture_id}"
    signer, now = desk.service.runtime.signer, desk.clock.now()
    assert signer.read_signed(PICTURE, key, now) == first.picture_id
    desk.clock.later(minutes=11)
    assert signer.read_signed(PICTURE, key, desk.clock.now()) is None
    page = await desk.as_("handler", "space").get(f"/desk/cases/{case}")
    assert page.text.count('<img src="/pictures/') == 3
    assert 'alt="照片 1（共 2 张）"' in page.text


@pytest.mark.parametrize("case", [{}, {"anonymous": True}, {"confidential": True}])
async def test_who_sees_the_case_sees_them_but_in_confidence_the_office_alone(
    desk: Desk, case: dict[str, bool]
) -> None:
    feedback_id = await desk.in_progress(pictures=(sent(),), **case)
    for role in ("coordinator", "leader"):
        (one,) = await seen(desk, feedback_id, role)
        assert one["url"].startswith("/pictures/"), role
    for role in ("liaison", "handler", "reviewer"):
        (one,) = await seen(desk, feedback_id, role, "space")
        assert ("url" in one) is not case.get("confidential", False), role
    (one,) = await seen(desk, feedback_id, "auditor")
    assert "url" not in one, "who reads words masked is shown nothing that cannot be masked"
    for role in ("handler", "reviewer"):
        assert await seen(desk, feedback_id, role, "it") == 404
    if case.get("confidential"):
        page = await desk.as_("handler", "space").get(f"/desk/cases/{feedback_id}")
        assert "有 1 张照片，以您的身份看不到。" in page.text
        assert "/pictures/" not in page.text


async def test_who_typed_a_case_in_is_shown_its_pictures_and_a_student_is_not(desk: Desk) -> None:
    for role, shows in (("clerk", True), ("student", False)):
        feedback_id = await desk.case(pictures=(sent(),), entered_by=role)
        (one,) = await seen(desk, feedback_id, role)
        assert ("url" in one) is shows


async def test_what_is_added_to_a_joined_case_is_shown_where_that_is_worked_on(desk: Desk) -> None:
    target, one = await desk.in_progress(), await desk.case(pictures=(sent(),))
    await desk.do(desk.as_("coordinator"), one, "merge", into=target)
    picture = sent()
    await desk.process(examples.supplemented(one).model_copy(update={"pictures": (picture,)}))
    await work(desk)
    body = await shown(desk, target)
    (said,) = [line for line in body["conversation"] if line["who"] == "another"]
    assert [p["picture_id"] for p in said["pictures"]] == [picture.picture_id]
    await desk.process(PrivateErased(feedback_id=one, at=desk.clock.now()))
    assert "picture_id" not in str(await shown(desk, target))
    assert "picture_id" not in str(await shown(desk, one))


async def test_each_part_of_a_comment_has_its_pictures_but_none_leaves_confidence(
    desk: Desk,
) -> None:
    whole, parts = await split(desk, pictures=(sent(),))
    for part in parts:
        assert len(await seen(desk, part, "coordinator")) == 1
    await desk.process(PrivateErased(feedback_id=whole, at=desk.clock.now()))
    for part in parts:
        assert await seen(desk, part, "coordinator") == []
    # Confidential by its category alone, which the parts do not share.
    _, parts = await split(desk, pictures=(sent(),), category="conduct")
    open_parts = [one for one in parts if not (await shown(desk, one))["confidential"]]
    for part in open_parts:
        assert await seen(desk, part, "coordinator") == []


async def test_nothing_is_shown_of_whoever_was_erased_whichever_word_of_it_comes_first(
    desk: Desk,
) -> None:
    now = desk.clock.now()
    for erased in (PrivateErased, FeedbackPicturesErased):
        case = await desk.case(pictures=(sent(),))
        assert len(await seen(desk, case, "coordinator")) == 1
        await desk.process(erased(feedback_id=case, at=now))
        assert await seen(desk, case, "coordinator") == []
    case = await desk.case()
    await desk.process(PrivateErased(feedback_id=case, at=now))
    late = examples.supplemented(case).model_copy(update={"pictures": (sent(),)})
    await desk.process(late)
    assert "picture_id" not in str(await shown(desk, case))


async def test_an_export_says_that_there_are_pictures_and_has_no_address(desk: Desk) -> None:
    case = await desk.in_progress(pictures=(sent(),))
    await desk.process(examples.supplemented(case).model_copy(update={"pictures": (sent(),)}))
    office = desk.as_("coordinator")
    exported = (await office.get(f"/api/cases/{case}/export")).json()
    assert len(exported["case"]["pictures"]) == 1
    page = await office.get(f"/api/cases/{case}/export?format=html")
    assert page.text.count("附照片 1 张") == 2
    assert "/pictures/" not in str(exported) + page.text
