"""The official account's callback through the route: one case, the same answer, no banner."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from shared.web.limits import Bucket
from tests.fakes.wechat_callbacks import sign
from tests.service.intake.conftest import Intake

WORDS = "男厕第二个水龙头关不上，水漫到走廊了，快来人！！"


def reply_of(intake: Intake, answer: httpx2.Response, *, safe: bool = False) -> str:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    return intake.wechat(safe=safe).read_reply(answer.text)["Content"]


async def test_the_url_check_is_answered_with_the_echo(intake: Intake) -> None:
    moment = str(int(intake.clock.now().timestamp()))
    query = {"signature": sign("tok", moment, "n"), "timestamp": moment, "nonce": "n"}
    answer = await intake.client.get("/wechat/main", params=query | {"echostr": "<b>58174</b>"})
    assert (answer.status_code, answer.text) == (200, "<b>58174</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    wrong = await intake.client.get("/wechat/main", params=query | {"signature": "0" * 40})
    assert wrong.status_code == 401
    assert (await intake.client.get("/wechat/main")).status_code == 401
    assert (await intake.client.get("/wechat/nobody", params=query)).status_code == 404


@pytest.mark.parametrize("safe", [False, True])
async def test_a_text_is_a_case_and_the_sender_gets_the_link(intake: Intake, safe: bool) -> None:
    answer = await intake.push(intake.wechat().text("oUser", WORDS, msg_id="77"), safe=safe)
    (row,) = await intake.rows("SELECT * FROM submissions")
    said = reply_of(intake, answer, safe=safe)
    assert row["tracking_code"] in said
    assert f"https://fx.test/track/{row['tracking_code']}" in said
    assert (row["channel"], row["account"], row["source_message_id"]) == ("wechat", "main", "77")
    assert (row["wechat_openid"], row["wechat_account"]) == ("oUser", "main")
    public, private = await intake.emitted()
    assert public["body"]["reachable"] == ["wechat"]
    assert "oUser" not in str(public)
    assert private["body"]["contact"] == {"wechat_account": "main", "wechat_openid": "oUser"}


async def test_three_overlapping_copies_are_one_case_with_the_same_answer(intake: Intake) -> None:
    text = intake.wechat().text("oUser", WORDS, msg_id="77", created=1772589600)
    same = await asyncio.gather(*(intake.push(text, nonce="n1") for _ in range(3)))
    intake.clock.later(seconds=5)
    later = await intake.push(text, nonce="n2")
    answers = {reply_of(intake, a) for a in (*same, later)}
    assert len(answers) == 1
    assert await intake.cases() == 1
    assert len(await intake.emitted()) == 2


async def test_the_same_number_at_another_account_is_another_message(intake: Intake) -> None:
    text = intake.wechat().text("oUser", WORDS, msg_id="77")
    await intake.push(text)
    await intake.push(text, "branch")
    assert await intake.cases() == 2


@pytest.mark.parametrize("number", ["-1", "9223372036854775808", "abc 一", "9" * 5000, ""])
async def test_a_strange_number_is_kept_as_text(intake: Intake, number: str) -> None:
    text = intake.wechat().text("oUser", WORDS, msg_id=number, created=1772589600)
    first, again = await intake.push(text), await intake.push(text)
    assert reply_of(intake, first) == reply_of(intake, again)
    assert await intake.cases() == 1
    assert "oUser" not in str((await intake.emitted())[0])


async def test_a_used_nonce_with_another_body_is_refused_and_nothing_is_kept(
    intake: Intake,
) -> None:
    first = intake.wechat().text("oUser", WORDS, msg_id="1")
    other = intake.wechat().text("oUser", "别的话", msg_id="2")
    assert (await intake.push(first, nonce="n")).status_code == 200
    assert (await intake.push(other, nonce="n")).status_code == 401
    assert (await intake.push(first, nonce="n")).status_code == 200
    assert await intake.cases() == 1
    together = await asyncio.gather(
        intake.push(first, nonce="m"), intake.push(other, nonce="m"), intake.push(first, nonce="m")
    )
    assert [a.status_code for a in together] == [200, 401, 200]


async def test_signature_moment_and_account_are_checked(intake: Intake) -> None:
    now = int(intake.clock.now().timestamp())
    text = intake.wechat().text("oUser", WORDS)
    assert (await intake.push(text, timestamp=now - 301)).status_code == 401
    assert (await intake.push(text, timestamp=now + 120)).status_code == 401
    query, body = intake.wechat("branch").sealed(text, timestamp=now)
    assert (await intake.client.post("/wechat/main", params=query, content=body)).status_code == 401
    assert (await intake.client.post("/wechat/main", content=body)).status_code == 401
    assert (await intake.client.post("/wechat/no", params=query, content=body)).status_code == 404
    assert await intake.cases() == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<xml>",
        "hello",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><FromUserName>&a;</FromUserName></xml>',
        "<xml><FromUserName>o</FromUserName><Content>\0</Content></xml>",
        "<xml><Content>x</Content></xml>",
        "<xml>" * 5000,
    ],
)
async def test_malformed_xml_is_400(intake: Intake, body: str) -> None:
    answer = await intake.push(body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"type", "title", "status", "detail"}


async def test_a_cipher_that_cannot_be_opened_is_400(intake: Intake) -> None:
    now = str(int(intake.clock.now().timestamp()))
    for encrypted in ("AAAA", "x" * 64, ""):
        query = {
            "timestamp": now,
            "nonce": "n",
            "encrypt_type": "aes",
            "msg_signature": sign("tok", now, "n", encrypted),
        }
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        answer = await intake.client.post("/wechat/main", params=query, content=body)
        assert (answer.status_code, answer.json()["detail"]) == (400, "cipher")


async def test_events_pictures_and_voices(intake: Intake) -> None:
    sender = intake.wechat()
    assert "https://fx.test" in reply_of(intake, await intake.push(sender.event("o1", "subscribe")))
    assert (await intake.push(sender.event("o1", "unsubscribe"))).text == "success"
    assert (await intake.push(sender.event("o1", "CLICK", key="x"))).text == "success"
    picture = await intake.push(sender.xml("o1", MsgType="image", MediaId="m", PicUrl="http://p"))
    said = reply_of(intake, picture)
    assert "照片" in said
    assert "https://fx.test" in said, "where it can be sent"
    blank = await intake.push(sender.text("o1", " \u3000 "))
    assert "请写点什么" in reply_of(intake, blank)
    assert await intake.cases() == 0
    voice = sender.xml("o1", MsgType="voice", MediaId="m", MsgID="9", Recognition="空调太冷")
    assert "查询码" in reply_of(intake, await intake.push(voice))
    unheard = sender.xml("o1", MsgType="voice", MediaId="m", MsgID="10", Recognition="")
    assert "文字" in reply_of(intake, await intake.push(unheard))
    (row,) = await intake.rows("SELECT text FROM submissions")
    assert row["text"] == "空调太冷"


async def test_who_writes_too_often_gets_success_and_is_kept(intake: Intake) -> None:
    intake.service.deps.followers = Bucket(2, 0.1, now=lambda: 0.0)
    sender = intake.wechat()
    answers = [await intake.push(sender.text("o1", f"第{n}句", msg_id=f"{n}")) for n in range(4)]
    assert [a.text == "success" for a in answers] == [False, False, True, True]
    other = await intake.push(sender.text("o2", "x", msg_id="x"))
    assert other.text != "success"
    assert await intake.cases() == 2
    kept = await intake.rows("SELECT text FROM words ORDER BY words_id")
    assert [row["text"] for row in kept] == ["第1句", "第2句", "第3句"]


async def test_one_push_is_one_commit_and_old_nonces_are_forgotten(intake: Intake) -> None:
    from services.intake import store

    await intake.push(intake.wechat().text("o1", "x"))
    assert len(await intake.rows("SELECT * FROM nonces")) == 1
    intake.clock.later(minutes=16)
    async with intake.service.transaction() as tx:
        await store.forget_old(tx)
    assert await intake.rows("SELECT * FROM nonces") == []


async def test_a_message_longer_than_any_is_cut_not_refused(intake: Intake) -> None:
    answer = await intake.push(intake.wechat().text("o1", "字" * 60_000))
    assert answer.status_code == 200
    (row,) = await intake.rows("SELECT length(text) AS n FROM submissions")
    assert row["n"] == 50_000


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("form", ["<![CDATA[{}]]>", "{}"])
async def test_control_characters_of_a_follower_are_taken_out(
    intake: Intake, safe: bool, form: str
) -> None:
    typed = "座位\x1d又\x02被\x08占\x10了\x1f\uffff &amp; 第&#29;二&#x1D;次"
    xml = intake.wechat().text("oUser", "WORDS", msg_id="77")
    start, end = xml.index("<Content>") + len("<Content>"), xml.index("</Content>")
    answer = await intake.push(xml[:start] + form.format(typed) + xml[end:], safe=safe)
    (row,) = await intake.rows("SELECT * FROM submissions")
    assert row["tracking_code"] in reply_of(intake, answer, safe=safe)
    # In a CDATA section nothing is a reference: that is what somebody typed.
    kept = "&amp; 第&#29;二&#x1D;次" if "CDATA" in form else "& 第二次"
    assert row["text"] == f"座位又被占了 {kept}"


async def test_control_characters_in_json_are_taken_out(intake: Intake) -> None:
    body = '{"FromUserName":"oUser","MsgType":"text","MsgId":7,"Content":"座位\x1d又\\u0002被占"}'
    assert (await intake.push(body)).text == "success"
    (row,) = await intake.rows("SELECT text FROM submissions")
    assert row["text"] == "座位又被占"


@pytest.mark.parametrize(
    "text",
    [
        "【收到不支持的消息类型，暂无法显示】",
        "[收到不支持的消息类型，暂无法显示]",
        "【收到不支援的訊息類型，暫無法顯示】",
        " [收到不支援的訊息類型, 暫時無法顯示] ",
    ],
)
async def test_what_the_platform_cannot_pass_on_is_no_comment(intake: Intake, text: str) -> None:
    answer = await intake.push(intake.wechat().text("oUser", text))
    assert "请用文字说一说" in reply_of(intake, answer)
    assert await intake.cases() == 0
    quoted = await intake.push(intake.wechat().text("oUser", f"我收到{text}，打不开", msg_id="8"))
    assert "查询码" in reply_of(intake, quoted)
    assert await intake.cases() == 1
