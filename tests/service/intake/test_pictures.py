"""Pictures with a comment and with what is said later: what is kept, refused, shown, forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from services.intake import store
from services.intake.domain.pictures import LARGEST, MOST_OF_A_CASE
from services.intake.handlers.recollect import OWN, PICTURES
from shared.contracts.desk import CaseSplitOff
from shared.contracts.intake import FeedbackPicturesErased, FeedbackReceived, SentPicture
from shared.contracts.rights import Rights
from shared.contracts.vocabulary import Channel, State
from shared.messaging.replay import Replay
from shared.security import PICTURE
from shared.web.edge import MAX_BODY
from shared.web.limits import Bucket
from tests.pictures import as_held, gif, heic, huge_png, opened, photo
from tests.service.intake.conftest import Intake

HTML = {"Accept": "text/html"}
TAP = "二层水龙头一直在漏"


def files(*contents: bytes, name: str = "IMG_1.jpg", kind: str = "image/jpeg") -> list[Any]:
    return [("pictures", (name, content, kind)) for content in contents]


async def send(intake: Intake, *contents: bytes, text: str = TAP, **more: Any) -> httpx2.Response:
    headers = more.pop("headers", {})
    return await intake.client.post(
        "/api/feedback", data={"text": text} | more, files=files(*contents), headers=headers
    )


async def add(
    intake: Intake, code: str, *contents: bytes, text: str = "再看这张", **more: Any
) -> httpx2.Response:
    return await intake.client.post(
        f"/api/track/{code}/supplement", data={"text": text} | more, files=files(*contents)
    )


async def kept(intake: Intake) -> list[Any]:
    return await intake.rows("SELECT * FROM pictures ORDER BY picture_id")


def address(intake: Intake, picture_id: str) -> str:
    return intake.service.runtime.signer.picture_path(picture_id, intake.clock.now())


async def test_a_picture_comes_with_a_comment_and_is_told_without_its_bytes(intake: Intake) -> None:
    answer = await send(intake, as_held(6), photo())
    assert answer.status_code == 201
    one, two = await kept(intake)
    assert (one["width"], one["height"], one["seq"], two["seq"]) == (200, 400, 0, 1)
    assert one["feedback_id"] == answer.json()["feedback_id"]
    assert one["content_type"] == "image/jpeg"
    assert b"Secret" not in one["content"]
    (received,) = [
        e["body"]
        for e in await intake.emitted(one["feedback_id"])
        if e["type"] == "feedback.received.v1"
    ]
    assert received["pictures"] == [
        {"picture_id": one["picture_id"], "width": 200, "height": 400},
        {"picture_id": two["picture_id"], "width": 400, "height": 300},
    ]
    assert "IMG_1" not in str(await intake.emitted(one["feedback_id"]))


async def test_a_form_without_a_picture_is_as_before(intake: Intake) -> None:
    answer = await intake.client.post(
        "/api/feedback",
        data={"text": TAP, "contact.email": "a@b.cn"},
        files=[("pictures", ("", b"", "application/octet-stream"))],
        headers=HTML,
    )
    assert answer.status_code == 201
    assert await kept(intake) == []
    (row,) = await intake.rows("SELECT text, email FROM submissions")
    assert (row["text"], row["email"]) == (TAP, "a@b.cn")


async def test_staff_and_programs_send_pictures_too(intake: Intake) -> None:
    clerk = await intake.client.post(
        "/api/desk/feedback", data={"text": TAP}, files=files(photo()), headers=intake.staff()
    )
    more = {"channel": "api", "source_message_id": "1"}
    program = await send(intake, photo(), headers=intake.adapter(), **more)
    assert (clerk.status_code, program.status_code) == (201, 201)
    assert len(await kept(intake)) == 2


async def test_words_that_are_added_may_have_pictures(intake: Intake) -> None:
    receipt = (await send(intake, photo())).json()
    assert (await add(intake, receipt["tracking_code"], photo(80, 60))).status_code == 200
    first, later = await kept(intake)
    (words,) = await intake.rows("SELECT words_id FROM words")
    assert (first["words_id"], later["words_id"]) == (None, words["words_id"])
    emitted = await intake.emitted(receipt["feedback_id"])
    (told,) = [e["body"] for e in emitted if e["type"] == "feedback.supplemented.v1"]
    assert [one["width"] for one in told["pictures"]] == [80]


BAD = {
    "empty": (b"", "什么也没有"),
    "heic": (heic(), "HEIC"),
    "gif": (gif(), "JPEG、PNG、WebP"),
    "no picture": (b"<html><script>alert(1)</script>", "JPEG、PNG、WebP"),
    "cut": (photo(900, 900)[:600], "打不开"),
    "many pixels": (huge_png(), "尺寸太大"),
    "large": (photo() + b"\0" * LARGEST, "8 MB"),
}


@pytest.mark.parametrize("which", BAD)
async def test_what_is_no_picture_is_refused_and_every_word_kept(
    intake: Intake, which: str
) -> None:
    content, said = BAD[which]
    answer = await send(intake, content)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["errors"]["pictures"]
    page = await send(intake, photo(), content, headers=HTML)
    assert page.status_code == 422
    assert TAP in page.text
    assert "第 2 张照片" in page.text
    assert 'aria-describedby="pictures-hint error-pictures"' in page.text
    assert await kept(intake) == []
    assert await intake.cases() == 0


async def test_what_a_file_says_it_is_does_not_count(intake: Intake) -> None:
    sent = files(photo(), name="../../etc/passwd.svg\x00.html", kind="text/html")
    answer = await intake.client.post("/api/feedback", data={"text": TAP}, files=sent)
    assert answer.status_code == 201
    sent = files(b"MZ not a picture", name="photo.jpg", kind="image/jpeg")
    answer = await intake.client.post("/api/feedback", data={"text": TAP}, files=sent)
    assert answer.status_code == 422


async def test_three_at_once_and_twelve_in_all(intake: Intake) -> None:
    four = await send(intake, *[photo()] * 4)
    assert (four.status_code, "最多发 3 张" in four.text) == (422, True)
    code = (await send(intake, *[photo()] * 3)).json()["tracking_code"]
    for n in range(3):
        assert (await add(intake, code, *[photo()] * 3, text=f"{n}")).status_code == 200
    assert len(await kept(intake)) == MOST_OF_A_CASE
    full = await add(intake, code, photo(), text="再一张")
    assert (full.status_code, "请只写文字" in full.text) == (422, True)
    assert (await intake.later(code, "supplement", text="只写字")).status_code == 200


async def test_pictures_come_with_nothing_but_words_that_are_added(intake: Intake) -> None:
    code = (await intake.say()).json()["tracking_code"]
    answer = await intake.client.post(f"/api/track/{code}/urge", files=files(photo()))
    assert answer.status_code == 415


async def test_whether_a_thing_can_be_done_is_said_before_what_is_wrong_with_a_picture(
    intake: Intake,
) -> None:
    code = (await intake.say()).json()["tracking_code"]
    assert (await intake.later(code, "withdraw")).status_code == 200
    assert (await add(intake, code, b"x")).status_code == 409
    assert (await add(intake, intake.strange_code(), photo())).status_code == 404


async def test_the_same_form_twice_is_one_comment_with_its_pictures_once(intake: Intake) -> None:
    key = {"Idempotency-Key": "k"}
    one, two = await send(intake, photo(), headers=key), await send(intake, photo(), headers=key)
    assert one.status_code == two.status_code == 201
    assert one.json() == two.json()
    assert len(await kept(intake)) == 1
    other = await send(intake, photo(colour="red"), headers=key)
    assert other.status_code == 409


async def test_a_button_pressed_twice_adds_once_and_another_picture_is_another_word(
    intake: Intake,
) -> None:
    code = (await intake.say()).json()["tracking_code"]
    for _ in range(2):
        assert (await add(intake, code, photo())).status_code == 200
    assert len(await kept(intake)) == 1
    assert (await add(intake, code, photo(colour="red"))).status_code == 200
    assert len(await kept(intake)) == 2


async def test_an_address_sends_only_so_many_bytes_of_pictures(intake: Intake) -> None:
    intake.service.deps.pictured = Bucket(5_000, 10, now=lambda: 0.0)
    big = photo() + b"\0" * 4_000
    assert (await send(intake, big)).status_code == 201
    page = await send(intake, big, headers=HTML)
    assert (page.status_code, TAP in page.text) == (429, True)
    assert (await intake.say()).status_code == 201


async def test_of_large_forms_only_so_many_are_held_and_the_words_are_given_back(
    intake: Intake,
) -> None:
    large = photo() + b"\0" * MAX_BODY
    async with intake.service.deps.uploads, intake.service.deps.uploads:
        assert (await send(intake, large)).status_code == 201
        async with intake.service.deps.uploads:
            page = await send(intake, large, headers=HTML)
            assert (page.status_code, TAP in page.text) == (503, True)
            assert page.headers["Retry-After"]
            assert (await send(intake, photo())).status_code == 201, "a small one has room"


async def test_words_may_be_no_longer_for_the_pictures_beside_them(intake: Intake) -> None:
    answer = await send(intake, photo(), text="x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    answer = await intake.client.post("/api/feedback", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    huge = await send(intake, b"\0" * 26_000_001)
    assert (huge.status_code, "26 MB" in huge.text) == (413, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x\r\n\r\n",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello',
        b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        b"--x\r\n" + b"A: " + b"b" * 20_000 + b"\r\n\r\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 200 + b"--x--\r\n",
    ],
)
async def test_a_form_that_cannot_be_read_is_told_so(intake: Intake, body: bytes) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await intake.client.post("/api/feedback", content=body, headers=kind)
    assert answer.status_code == 400, answer.text
    without = {"Content-Type": "multipart/form-data"}
    assert (
        await intake.client.post("/api/feedback", content=body, headers=without)
    ).status_code == 400


async def test_a_picture_is_shown_at_a_signed_address_for_minutes(intake: Intake) -> None:
    await send(intake, photo())
    (row,) = await kept(intake)
    where = address(intake, row["picture_id"])
    shown = await intake.client.get(where)
    assert shown.status_code == 200
    assert shown.content == row["content"]
    assert opened(shown.content).size == (400, 300)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["cache-control"].startswith("private")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    intake.clock.later(minutes=4)
    assert (await intake.client.get(where)).status_code == 200
    intake.clock.later(minutes=7)
    assert (await intake.client.get(where)).status_code == 404


async def test_nobody_else_is_shown_it_and_all_answers_are_alike(intake: Intake) -> None:
    await send(intake, photo(), photo(80, 60))
    one, two = (row["picture_id"] for row in await kept(intake))
    signer, now = intake.service.runtime.signer, intake.clock.now()
    key = address(intake, one).partition("key=")[2]
    other_purpose = signer.signed("why-this-date", one, until=now.replace(year=2030))
    unknown = signer.signed(PICTURE, "unknown", until=now.replace(year=2030))
    asked = [
        f"/pictures/{one}",
        f"/pictures/{one}?key=",
        f"/pictures/{one}?key={key[:-2]}xx",
        f"/pictures/{two}?key={key}",
        f"/pictures/{one}?key={other_purpose}",
        f"/pictures/unknown?key={unknown}",
        f"/pictures/unknown?key={key}",
    ]
    for headers in ({}, intake.staff("coordinator"), intake.staff("auditor")):
        answers = [await intake.client.get(path, headers=headers) for path in asked]
        assert {a.status_code for a in answers} == {404}
        assert len({a.text for a in answers}) == 1


async def test_whoever_is_erased_is_in_no_picture_any_more(intake: Intake) -> None:
    receipt = (await send(intake, photo())).json()
    case, code = receipt["feedback_id"], receipt["tracking_code"]
    await add(intake, code, photo(80, 60))
    part = "01978a3e-0001-7000-8000-000000000777"
    await intake.process(
        CaseSplitOff(
            feedback_id=part,
            at=intake.clock.now(),
            state=State.TRIAGE,
            rights=Rights(supplement=True),
            parent=case,
            received_at=intake.clock.now(),
            channel=Channel.WEB,
            text="水龙头",
            code_hash="x",
        )
    )
    assert (await add(intake, code, photo(70, 60), part=part)).status_code == 200
    others = (await send(intake, photo(), text="别人的")).json()
    assert len(await kept(intake)) == 4
    where = address(intake, (await kept(intake))[0]["picture_id"])
    async with intake.service.transaction() as tx:
        await store.erase(tx, case)
    assert [row["feedback_id"] for row in await kept(intake)] == [others["feedback_id"]]
    assert (await intake.client.get(where)).status_code == 404
    for one in (case, part):
        assert [e["type"] for e in await intake.emitted(one) if "pictures_erased" in e["type"]] == [
            "feedback.pictures_erased.v1"
        ]
    late = await add(intake, code, photo(), text="还有一张")
    assert (late.status_code, "请只写文字" in late.text) == (422, True)
    assert (await intake.later(code, "supplement", text="只写字")).status_code == 200


async def test_after_a_backup_was_put_back_lost_pictures_are_listed_and_erased_ones_go_again(
    intake: Intake,
) -> None:
    case = (await send(intake, photo())).json()["feedback_id"]
    (row,) = await kept(intake)
    lost = FeedbackReceived(
        feedback_id="01978a3e-0001-7000-8000-000000000778",
        at=intake.clock.now(),
        channel=Channel.WEB,
        text="灯坏了",
        code_hash="x",
        pictures=(SentPicture(picture_id="gone", width=1, height=1),),
    )
    erased = FeedbackPicturesErased(feedback_id=case, at=intake.clock.now())
    async with intake.service.transaction() as tx:
        tx.replay = Replay("intake")
        await OWN[FeedbackReceived](lost, tx)
        assert tx.replay.missing == {PICTURES: {lost.feedback_id}}
        await OWN[FeedbackPicturesErased](erased, tx)
    assert await kept(intake) == []
    assert (await intake.client.get(address(intake, row["picture_id"]))).status_code == 404


async def test_pictures_are_decoded_one_message_at_a_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.intake.api import pictures

    at_work, most, shrink = 0, 0, pictures.shrink

    def counted(content: bytes) -> Any:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        try:
            return shrink(content)
        finally:
            at_work -= 1

    monkeypatch.setattr(pictures, "shrink", counted)
    answers = await asyncio.gather(*(send(intake, photo(900, 700)) for _ in range(6)))
    assert {a.status_code for a in answers} == {201}
    assert most == 1


async def test_the_forms_ask_for_pictures_in_both_languages(intake: Intake) -> None:
    for language, said in (("zh", "最多 3 张"), ("en", "At most 3")):
        page = await intake.client.get(f"/?lang={language}", headers=HTML)
        assert said in page.text
        assert 'enctype="multipart/form-data"' in page.text
        assert 'accept="image/*"' in page.text
