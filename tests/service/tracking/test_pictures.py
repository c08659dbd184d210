"""What a reporter sent as pictures stands in their own conversation, and nowhere else."""

from __future__ import annotations

from shared.contracts.desk import CaseMerged
from shared.contracts.intake import FeedbackPicturesErased, FeedbackSupplemented, SentPicture
from shared.ids import new_id
from shared.security import PICTURE
from tests.service.tracking.conftest import Web
from tests.support import process_batch
from tests.unit.tracking.examples import Story


def sent() -> SentPicture:
    return SentPicture(picture_id=new_id(), width=1600, height=1200)


async def test_the_page_shows_what_was_sent_where_it_was_said(web: Web, code: str) -> None:
    story, first, later = Story(code=code), sent(), sent()
    added = story.of(FeedbackSupplemented, text="再看这张", words_id="w", pictures=(later,))
    await process_batch(web.service, story.received(pictures=(first,)), story.opened(), added)
    body = (await web.get(f"/api/track/{code}")).json()
    assert [[p["picture_id"] for p in line["pictures"]] for line in body["conversation"]] == [
        [first.picture_id],
        [later.picture_id],
    ]
    key = body["conversation"][0]["pictures"][0]["url"].partition("?key=")[2]
    signer = web.service.runtime.signer
    assert signer.read_signed(PICTURE, key, web.clock.now()) == first.picture_id
    again = (await web.get(f"/api/track/{code}")).json()
    assert again["conversation"] == body["conversation"], "a page looked at again is the same"
    page = await web.get(f"/track/{code}?lang=en", headers={"Accept": "text/html"})
    assert page.text.count('<img src="/pictures/') == 2
    assert 'alt="Picture 1 of 1"' in page.text
    assert "picture" not in str(body["timeline"])


async def test_who_is_joined_to_a_case_sees_none_of_its_pictures(web: Web, code: str) -> None:
    other_code = web.service.runtime.signer.tracking_code()
    target, joined = Story(code=other_code), Story(code=code)
    theirs, mine = sent(), sent()
    await process_batch(
        web.service,
        target.received(pictures=(theirs,)),
        target.opened(),
        joined.received(pictures=(mine,)),
        joined.opened(),
        joined.of(CaseMerged, into=target.id, reason="同一件事"),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert body["joined"]
    assert mine.picture_id in str(body)
    assert theirs.picture_id not in str(body)
    assert mine.picture_id not in str((await web.get(f"/api/track/{other_code}")).json())


async def test_what_was_erased_is_shown_no_more_and_the_page_says_so(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, story.received(pictures=(sent(),)), story.opened())
    await process_batch(web.service, story.of(FeedbackPicturesErased))
    body = (await web.get(f"/api/track/{code}")).json()
    assert "picture_id" not in str(body)
    assert body["timeline"][-1]["text"] == "您发来的照片已经删除。"
