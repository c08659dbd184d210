"""What a push means, and what a hostile one may not do."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import pytest

from services.intake.wechat import (
    BodyTooLarge,
    MalformedBody,
    Opened,
    WechatMessage,
    open_push,
)
from services.intake.wechat.fields import MAX_BODY, parse_fields
from services.intake.wechat.messages import body_hash, nonce_key
from services.intake.wechat.xml import cdata
from tests.fakes.wechat_callbacks import CallbackSender
from tests.unit.intake.test_wechat_crypto import APPID, KEY, TOKEN, an_account

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
PLATFORM = CallbackSender("http://unused", TOKEN, APPID)


def opened(xml: str, **sealing: str) -> Opened:
    query, body = PLATFORM.sealed(xml, timestamp=int(NOW.timestamp()), **sealing)  # type: ignore[arg-type]
    return open_push(an_account(), query, body, NOW)


def message(xml: str) -> WechatMessage:
    return opened(xml).message


def test_a_text_is_kept_as_typed() -> None:
    text = "三层东区217一上午都是一个水杯占着 😀 <script>alert(1)</script> {{7*7}} ﷺ ]]>"
    got = message(PLATFORM.text("oUser", text, msg_id="24000000001"))
    assert got.text == text
    assert got.msg_type == "text"
    assert got.openid == "oUser"
    assert got.account == "main"
    assert got.platform_id == "gh_fake0000001"
    assert got.media is None
    assert text not in repr(got)
    assert "oUser" not in repr(got)


@pytest.mark.parametrize("number", ["-1", "9223372036854775808", "abc 一二", "9" * 5000, "0"])
def test_a_strange_message_id_is_kept_as_text(number: str) -> None:
    got = message(PLATFORM.text("oUser", "x", msg_id=number))
    assert got.msg_id == number
    assert 0 < len(got.dedupe_key) <= 200
    assert got.dedupe_key == message(PLATFORM.text("oUser", "y", msg_id=number)).dedupe_key


def test_copies_without_a_message_id_are_still_the_same_message() -> None:
    one = message(PLATFORM.text("oUser", "水漫到走廊了", msg_id="", created=1714112445))
    copy = message(PLATFORM.text("oUser", "水漫到走廊了", msg_id="", created=1714112445))
    other = message(PLATFORM.text("oUser", "快来人", msg_id="", created=1714112445))
    assert one.msg_id == ""
    assert one.dedupe_key == copy.dedupe_key != other.dedupe_key


def test_the_other_spelling_of_the_message_id_counts() -> None:
    got = message(PLATFORM.xml("oUser", MsgType="voice", MediaId="m1", MsgID="77"))
    assert (got.msg_id, got.dedupe_key) == ("77", "77")


def test_an_event_is_identified_by_who_when_what() -> None:
    got = message(PLATFORM.event("oUser", "CLICK", key="menu|urge", created=1714112445))
    assert got.is_event
    assert got.dedupe_key == "oUser|1714112445|CLICK|menu|urge"
    assert got.created_at == datetime(2024, 4, 26, 6, 20, 45, tzinfo=UTC)


def test_pictures_voices_links_and_places_bring_what_they_have() -> None:
    picture = message(PLATFORM.xml("oUser", MsgType="image", PicUrl="http://p", MediaId="m1"))
    assert picture.media is not None
    assert (picture.media.media_id, picture.media.pic_url, picture.text) == ("m1", "http://p", "")
    voice = message(
        PLATFORM.xml("oUser", MsgType="voice", MediaId="m", Format="amr", Recognition="空调太冷")
    )
    assert voice.media is not None
    assert (voice.text, voice.media.format) == ("空调太冷", "amr")
    link = message(PLATFORM.xml("oUser", MsgType="link", Title="书单", Url="http://l"))
    assert link.text == "书单\nhttp://l"
    assert message(PLATFORM.xml("oUser", MsgType="location", Label="东门")).text == "东门"


@pytest.mark.parametrize("moment", ["", "-5", "x", "9" * 5000, "１２"])
def test_a_strange_creation_time_is_no_moment(moment: str) -> None:
    xml = PLATFORM.text("oUser", "x", created=0).replace(">0<", f">{moment}<")
    assert message(xml).created_at is None


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "laughs": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{BOMB}]><xml><a>&l9;</a></xml>',
    "external": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><a>&e;</a></xml>',
    "remote dtd": '<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/x.dtd"><xml/>',
    "bare doctype": "<!DOCTYPE xml><xml><FromUserName>o</FromUserName></xml>",
    "doctype late": "<?xml version='1.0'?><!-- x -->\n<!DOCTYPE xml []><xml/>",
    "no xml": "hello",
    "empty": "",
    "cut": "<xml><FromUserName>o</FromUser",
    "two roots": "<xml/><xml/>",
    "another root": "<html><FromUserName>o</FromUserName></html>",
    "deep": "<xml>" + "<a>" * 100_000,
    "wide": "<xml>" + "<a/>" * 100_000 + "</xml>",
    "nul": "<xml><FromUserName>o\0</FromUserName></xml>",
    "surrogate": "<xml><FromUserName>&#xD800;</FromUserName></xml>",
    "undefined entity": "<xml><FromUserName>&nbsp;</FromUserName></xml>",
    "unknown encoding": '<?xml version="1.0" encoding="klingon"?><xml/>',
    "nobody": "<xml><MsgType>text</MsgType></xml>",
    "endless name": f"<xml><FromUserName>{'o' * 129}</FromUserName></xml>",
    "json list": '{"a": ' + "[" * 100_000,
    "json nul": '{"FromUserName": "o\\u0000"}',
    "json surrogate": '{"FromUserName": "o", "Content": "\\ud800"}',
    "json nan": '{"FromUserName": "o", "x": NaN}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused_as_malformed(name: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        opened(HOSTILE[name])
    assert (caught.value.status, str(caught.value)) == (400, "malformed body")


def test_a_doctype_in_another_encoding_is_a_doctype_too() -> None:
    body = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE xml><xml/>'.encode("utf-16")
    with pytest.raises(MalformedBody):
        parse_fields(body)


def test_bad_utf8_is_refused() -> None:
    with pytest.raises(MalformedBody):
        parse_fields(b"<xml><Content>\xff\xfe</Content></xml>")


def test_a_doctype_inside_the_encrypted_part_is_refused_too() -> None:
    safe = CallbackSender("http://unused", TOKEN, APPID, KEY)
    query, body = safe.sealed(HOSTILE["laughs"], timestamp=int(NOW.timestamp()))
    with pytest.raises(MalformedBody):
        open_push(an_account(), query, body, NOW)


def test_a_body_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(BodyTooLarge) as caught:
        opened("<xml>" + "x" * MAX_BODY)
    assert caught.value.status == 413


def test_memory_stays_flat_under_a_million_elements() -> None:
    body = b"<xml>" + b"<a/>" * (MAX_BODY // 4 - 8)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedBody):
            parse_fields(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_BODY


def test_numbers_in_json_stay_as_written() -> None:
    got = parse_fields(b'{"MsgId": 9223372036854775808123, "CreateTime": -1, "More": {"a": 1}}')
    assert got == {"MsgId": "9223372036854775808123", "CreateTime": "-1"}


def test_a_longest_comment_passes() -> None:
    text = "😀" * 50_000
    safe = CallbackSender("http://unused", TOKEN, APPID, KEY)
    query, body = safe.sealed(safe.text("oUser", text), timestamp=int(NOW.timestamp()))
    assert open_push(an_account(), query, body, NOW).message.text == text


def test_the_first_of_two_fields_counts_and_nested_ones_do_not() -> None:
    got = parse_fields(b"<xml><a>1</a><b><a>2</a></b><a>3</a></xml>")
    assert got["a"] == "1"


def test_a_retry_looks_the_same_and_a_replay_does_not() -> None:
    xml = PLATFORM.text("oUser", "x", msg_id="1")
    first, again = opened(xml, nonce="n1"), opened(xml, nonce="n1")
    forged = opened(PLATFORM.text("oUser", "y", msg_id="2"), nonce="n1")
    assert (first.nonce_key, first.body_hash) == (again.nonce_key, again.body_hash)
    assert forged.nonce_key == first.nonce_key
    assert forged.body_hash != first.body_hash
    assert nonce_key("main", "n1") != nonce_key("other", "n1")
    assert len(body_hash(b"")) == 64


def test_a_safe_copy_encrypted_anew_is_still_a_retry() -> None:
    safe = CallbackSender("http://unused", TOKEN, APPID, KEY)
    xml = safe.text("oUser", "x", msg_id="1")
    hashes = set()
    for _ in range(2):
        query, body = safe.sealed(xml, timestamp=int(NOW.timestamp()), nonce="n1")
        hashes.add(open_push(an_account(), query, body, NOW).body_hash)
    assert len(hashes) == 1


def test_an_answer_goes_back_to_whoever_wrote() -> None:
    answer = opened(PLATFORM.text("oUser", "x")).reply("已收到，编号 ABC\x00\x1b", NOW)
    fields = PLATFORM.read_reply(answer)
    assert fields["ToUserName"] == "oUser"
    assert fields["FromUserName"] == "gh_fake0000001"
    assert fields["MsgType"] == "text"
    assert fields["Content"] == "已收到，编号 ABC"
    assert fields["CreateTime"] == str(int(NOW.timestamp()))


def test_cdata_cannot_be_left() -> None:
    assert cdata("]]><x/>") == "<![CDATA[]]]]><![CDATA[><x/>]]>"
