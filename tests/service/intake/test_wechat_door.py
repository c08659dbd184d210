"""The official account's callback through the route: one case, the same answer, no banner."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from shared.web.limits import Bucket
from tests.fakes.wechat_callbacks import sign
from tests.service.intake.conftest import Door

WORDS = "男厕第二个水龙头关不上，水漫到走廊了，快来人！！"


def reply_of(door: Door, answer: httpx2.Response, *, safe: bool = False) -> str:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    return door.wechat(safe=safe).read_reply(answer.text)["Content"]


async def test_the_url_check_is_answered_with_the_echo(door: Door) -> None:
    moment = str(int(door.clock.now().timestamp()))
    query = {"signature": sign("tok", moment, "n"), "timestamp": moment, "nonce": "n"}
    answer = await door.client.get("/wechat/main", params=query | {"echostr": "<b>58174</b>"})
    assert (answer.status_code, answer.text) == (200, "<b>58174</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    wrong = await door.client.get("/wechat/main", params=query | {"signature": "0" * 40})
    assert wrong.status_code == 401
    assert (await door.client.get("/wechat/main")).status_code == 401
    assert (await door.client.get("/wechat/nobody", params=query)).status_code == 404


@pytest.mark.parametrize("safe", [False, True])
async def test_a_text_is_a_case_and_the_sender_gets_the_link(door: Door, safe: bool) -> None:
    answer = await door.push(door.wechat().text("oUser", WORDS, msg_id="77"), safe=safe)
    (row,) = await door.rows("SELECT * FROM submissions")
    said = reply_of(door, answer, safe=safe)
    assert row["tracking_code"] in said
    assert f"https://fx.test/track/{row['tracking_code']}" in said
    assert (row["channel"], row["account"], row["source_message_id"]) == ("wechat", "main", "77")
    assert (row["wechat_openid"], row["wechat_account"]) == ("oUser", "main")
    public, private = await door.told()
    assert public["body"]["reachable"] == ["wechat"]
    assert "oUser" not in str(public)
    assert private["body"]["contact"] == {"wechat_account": "main", "wechat_openid": "oUser"}


async def test_three_overlapping_copies_are_one_case_with_the_same_answer(door: Door) -> None:
    text = door.wechat().text("oUser", WORDS, msg_id="77", created=1772589600)
    same = await asyncio.gather(*(door.push(text, nonce="n1") for _ in range(3)))
    door.clock.later(seconds=5)
    later = await door.push(text, nonce="n2")
    answers = {reply_of(door, a) for a in (*same, later)}
    assert len(answers) == 1
    assert await door.cases() == 1
    assert len(await door.told()) == 2


async def test_the_same_number_at_another_account_is_another_message(door: Door) -> None:
    text = door.wechat().text("oUser", WORDS, msg_id="77")
    await door.push(text)
    await door.push(text, "branch")
    assert await door.cases() == 2


@pytest.mark.parametrize("number", ["-1", "9223372036854775808", "abc 一", "9" * 5000, ""])
async def test_a_strange_number_is_kept_as_text(door: Door, number: str) -> None:
    text = door.wechat().text("oUser", WORDS, msg_id=number, created=1772589600)
    first, again = await door.push(text), await door.push(text)
    assert reply_of(door, first) == reply_of(door, again)
    assert await door.cases() == 1
    assert "oUser" not in str((await door.told())[0])


async def test_a_used_nonce_with_another_body_is_refused_and_nothing_is_kept(door: Door) -> None:
    first = door.wechat().text("oUser", WORDS, msg_id="1")
    other = door.wechat().text("oUser", "别的话", msg_id="2")
    assert (await door.push(first, nonce="n")).status_code == 200
    assert (await door.push(other, nonce="n")).status_code == 401
    assert (await door.push(first, nonce="n")).status_code == 200
    assert await door.cases() == 1
    together = await asyncio.gather(
        door.push(first, nonce="m"), door.push(other, nonce="m"), door.push(first, nonce="m")
    )
    assert [a.status_code for a in together] == [200, 401, 200]


async def test_signature_moment_and_account_are_checked(door: Door) -> None:
    now = int(door.clock.now().timestamp())
    text = door.wechat().text("oUser", WORDS)
    assert (await door.push(text, timestamp=now - 301)).status_code == 401
    assert (await door.push(text, timestamp=now + 120)).status_code == 401
    query, body = door.wechat("branch").sealed(text, timestamp=now)
    assert (await door.client.post("/wechat/main", params=query, content=body)).status_code == 401
    assert (await door.client.post("/wechat/main", content=body)).status_code == 401
    assert (await door.client.post("/wechat/no", params=query, content=body)).status_code == 404
    assert await door.cases() == 0


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
async def test_malformed_xml_is_400(door: Door, body: str) -> None:
    answer = await door.push(body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"type", "title", "status", "detail"}


async def test_a_cipher_that_cannot_be_opened_is_400(door: Door) -> None:
    now = str(int(door.clock.now().timestamp()))
    for encrypted in ("AAAA", "x" * 64, ""):
        query = {
            "timestamp": now,
            "nonce": "n",
            "encrypt_type": "aes",
            "msg_signature": sign("tok", now, "n", encrypted),
        }
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        answer = await door.client.post("/wechat/main", params=query, content=body)
        assert (answer.status_code, answer.json()["detail"]) == (400, "cipher")


async def test_events_pictures_and_voices(door: Door) -> None:
    sender = door.wechat()
    assert "https://fx.test" in reply_of(door, await door.push(sender.event("o1", "subscribe")))
    assert (await door.push(sender.event("o1", "unsubscribe"))).text == "success"
    assert (await door.push(sender.event("o1", "CLICK", key="x"))).text == "success"
    picture = await door.push(sender.xml("o1", MsgType="image", MediaId="m", PicUrl="http://p"))
    assert "文字" in reply_of(door, picture)
    blank = await door.push(sender.text("o1", " \u3000 "))
    assert "请写点什么" in reply_of(door, blank)
    assert await door.cases() == 0
    voice = sender.xml("o1", MsgType="voice", MediaId="m", MsgID="9", Recognition="空调太冷")
    assert "查询码" in reply_of(door, await door.push(voice))
    unheard = sender.xml("o1", MsgType="voice", MediaId="m", MsgID="10", Recognition="")
    assert "文字" in reply_of(door, await door.push(unheard))
    (row,) = await door.rows("SELECT text FROM submissions")
    assert row["text"] == "空调太冷"


async def test_who_writes_too_often_gets_success_and_is_heard(door: Door) -> None:
    door.service.tools.chats = Bucket(2, 0.1, now=lambda: 0.0)
    sender = door.wechat()
    answers = [await door.push(sender.text("o1", f"{n}", msg_id=f"{n}")) for n in range(4)]
    assert [a.text == "success" for a in answers] == [False, False, True, True]
    other = await door.push(sender.text("o2", "x", msg_id="x"))
    assert other.text != "success"
    assert await door.cases() == 5


async def test_one_push_is_one_commit_and_old_nonces_are_forgotten(door: Door) -> None:
    from services.intake import store

    await door.push(door.wechat().text("o1", "x"))
    assert len(await door.rows("SELECT * FROM nonces")) == 1
    door.clock.later(minutes=16)
    async with door.service.transaction() as tx:
        await store.forget_old(tx)
    assert await door.rows("SELECT * FROM nonces") == []


async def test_a_message_longer_than_any_is_cut_not_refused(door: Door) -> None:
    answer = await door.push(door.wechat().text("o1", "字" * 60_000))
    assert answer.status_code == 200
    (row,) = await door.rows("SELECT length(text) AS n FROM submissions")
    assert row["n"] == 50_000
