"""What is kept, and what is refused with a sentence."""

from __future__ import annotations

import pytest

from tests.service.intake.conftest import Intake


async def test_a_comment_gets_a_receipt_and_is_emitted_once(intake: Intake) -> None:
    answer = await intake.say(place="三层东区", contact={"email": "lin@example.edu"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"feedback_id", "tracking_code", "track_url", "received_at"}
    assert body["track_url"] == f"https://fx.test/track/{body['tracking_code']}"
    assert body["received_at"] == "2026-03-04T10:00:00+08:00"
    public, private = await intake.emitted()
    assert (public["type"], public["seq"]) == ("feedback.received.v1", 1)
    assert public["body"]["channel"] == "web"
    assert public["body"]["reachable"] == ["email"]
    assert "lin@" not in str(public["body"])
    assert (private["type"], private["topic"]) == ("private.details.v1", "feedback.private")
    assert private["body"]["contact"] == {"email": "lin@example.edu"}
    assert private["body"]["tracking_code"] == body["tracking_code"]


async def test_personal_data_in_words_is_masked_in_the_log_and_kept_in_private(
    intake: Intake,
) -> None:
    words = "统一认证登录成功后跳回首页死循环。学号 2100012345，电话 13800001234。"
    await intake.say(words, title="找 zhang@example.edu", place="电话 13800001234 旁")
    public, private = await intake.emitted()
    for secret in ("2100012345", "13800001234", "zhang@example.edu"):
        assert secret not in str(public["body"])
        assert secret in str(private["body"]) or secret == "13800001234"
    assert private["body"]["text"] == words


async def test_words_are_kept_as_typed_but_for_line_ends_and_blank_ends(intake: Intake) -> None:
    typed = "\u3000\r\n 一行 \r\n\r\n二行\r三行😀 é e\u0301 ﷺ ＜script＞  \n"
    await intake.say(typed)
    (row,) = await intake.rows("SELECT text FROM submissions")
    assert row["text"] == "一行 \n\n二行\n三行😀 é e\u0301 ﷺ ＜script＞"


async def test_fifty_thousand_characters_are_the_most(intake: Intake) -> None:
    assert (await intake.say("好" * 50_000 + "\r\n")).status_code == 201
    assert (await intake.say("😀" * 50_001)).status_code == 422
    assert (await intake.say("好", title="题" * 200)).status_code == 201
    too_long = await intake.say("好", title="题" * 201)
    assert too_long.status_code == 422
    assert "title" in too_long.json()["errors"]


@pytest.mark.parametrize(
    "words", ["", " \n\t", "\u3000\u00a0", "\u200b\u2060\ufeff", "\u2800\u3164"]
)
async def test_only_blanks_or_invisible_characters_ask_for_words(
    intake: Intake, words: str
) -> None:
    zh = await intake.say(words)
    en = await intake.say(words, headers={"Accept-Language": "en"})
    assert (zh.status_code, zh.json()["detail"]) == (422, "请写点什么")
    assert (en.status_code, en.json()["errors"]["text"]) == (422, "please write something")
    assert await intake.cases() == 0


@pytest.mark.parametrize("body", [b'{"text":"a\\u0000b"}', b'{"text":"\\ud800"}'])
async def test_what_nobody_could_store_is_refused_with_a_sentence(
    intake: Intake, body: bytes
) -> None:
    answer = await intake.client.post(
        "/api/feedback", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert "特殊控制字符" in answer.text


@pytest.mark.parametrize(
    "contact",
    [
        {"name": "林\r\nBcc: all@example.edu"},
        {"email": "a@b.cn\r\nBcc: c@d.cn"},
        {"email": "not an address"},
        {"email": "a@b"},
        {"email": "<a@b.cn>"},
        {"phone": "call me"},
        {"phone": "138\n0000"},
        {"name": "a\0"},
        {"name": "林" * 81},
        "13800001234",
    ],
)
async def test_a_contact_that_is_none_is_refused_by_field(intake: Intake, contact: object) -> None:
    answer = await intake.say(contact=contact)
    assert answer.status_code == 422
    assert all(name.startswith("contact") for name in answer.json()["errors"])


@pytest.mark.parametrize(
    "phone", ["13800001234", "+86 138-0000-1234", "(010) 62751234 转 8", "52751"]
)
async def test_telephone_numbers_come_in_many_forms(intake: Intake, phone: str) -> None:
    assert (await intake.say(contact={"phone": phone, "name": ""})).status_code == 201


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"phone": "１３８０００１２３４５"}, "13800012345"),
        ({"phone": "138—0001—2345"}, "138-0001-2345"),
        ({"phone": "138\u20110001\u20112345\u200b"}, "138-0001-2345"),
        ({"email": "ｌｉｎ＠example．ｅｄｕ"}, "lin@example.edu"),
        ({"email": "lin@example。edu"}, "lin@example.edu"),
        ({"email": "\ufefflin@example.edu\u200b"}, "lin@example.edu"),
    ],
)
async def test_an_address_is_understood_as_a_chinese_keyboard_types_it(
    intake: Intake, typed: dict[str, str], kept: str
) -> None:
    answer = await intake.say(contact=typed)
    assert answer.status_code == 201
    name = next(iter(typed))
    (row,) = await intake.rows(f"SELECT {name} FROM submissions")
    assert row[name] == kept


async def test_privileged_and_unknown_fields_are_ignored(intake: Intake) -> None:
    answer = await intake.say(
        status="CLOSED", assignee="me", due="2030-01-01", is_staff=True, feedback_id="mine",
        channel=["x"], source_message_id=7, occurred_at="never", category="no such", locale="xx",
        entered_by="admin", desk="b1", by={"kind": "staff"},
    )  # fmt: skip
    assert answer.status_code == 201
    event = (await intake.emitted())[0]["body"]
    assert event["channel"] == "web"
    assert event["locale"] == "zh"
    assert event["by"] == {"kind": "reporter"}
    assert not {"category", "source_message_id", "entered_by", "desk"} & set(event)


async def test_who_wishes_to_be_anonymous_is_not_kept(intake: Intake) -> None:
    await intake.say(
        anonymous=True, contact={"name": "林", "phone": "13800001234", "email": "l@example.edu"}
    )
    (row,) = await intake.rows("SELECT name, phone, email, anonymous FROM submissions")
    assert dict(row) == {"name": None, "phone": None, "email": "l@example.edu", "anonymous": True}
    assert "林" not in str(await intake.emitted())


async def test_the_type_of_the_body_decides_between_400_413_415_and_422(intake: Intake) -> None:
    post = intake.client.post
    json_type = {"Content-Type": "application/json"}
    for body, status in (
        (b"{", 400),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b'{"text":"\xff"}', 400),
        (b'{"text":"x","n":NaN}', 400),
        (b"[1]", 422),
        (b"{}", 422),
        (b'{"text":5}', 422),
        (b'{"text":null}', 422),
        (b'{"text":"' + b"x" * 1_000_001 + b'"}', 413),
    ):
        answer = await post("/api/feedback", content=body, headers=json_type)
        assert answer.status_code == status, (body[:20], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    for kind in ("text/plain", "multipart/mixed; boundary=x", "application/xml",
                 "multipart/form-data; charset=gbk; boundary=x",
                 "application/json; charset=gbk"):  # fmt: skip
        answer = await post("/api/feedback", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    answer = await post(
        "/api/feedback", content=b"x", headers=json_type | {"Content-Encoding": "gzip"}
    )
    assert answer.status_code == 415
    assert await intake.cases() == 0


async def test_huge_numbers_in_unknown_fields_do_no_harm(intake: Intake) -> None:
    for number in ("9" * 5000, "1e999", "-0", "1" * 4000):
        answer = await intake.client.post(
            "/api/feedback",
            content=f'{{"text":"x","n":{number}}}'.encode(),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in (201, 400)
