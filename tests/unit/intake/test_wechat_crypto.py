"""The platform's published samples, and what a cipher may get wrong."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from services.intake.wechat import (
    BadCipher,
    BadSignature,
    StaleTimestamp,
    WechatAccount,
    accounts_from_setting,
    answer_url_check,
    open_push,
)
from services.intake.wechat.callback import clip
from services.intake.wechat.crypto import same, seal, signature_of, unseal
from tests.fakes.wechat_callbacks import CallbackSender, decrypt, encrypt, sign

TOKEN = "AAAAA"
KEY = "A" * 43
OTHER_KEY = "B" * 43
APPID = "wxba5fad812f8e6fb9"
PUSHED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzD"
    "pVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2I"
    "uQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F"
    "9mFUPAJGj04="
)
ANSWERED = (
    "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
)


def an_account(**more: object) -> WechatAccount:
    values = {"account": "main", "appid": APPID, "token": TOKEN, "aes_key": KEY}
    return WechatAccount.model_validate({**values, **more})


def at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def test_the_published_url_check_is_answered() -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    assert answer_url_check(an_account(), query, at(1714036504)) == "4375120948345356249"


def test_the_published_plain_push_is_opened() -> None:
    query = {
        "signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78",
        "timestamp": "1714037059",
        "nonce": "486452656",
        "openid": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    }
    body = (
        b"<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName>"
        b"<FromUserName><![CDATA[o9AgO5Kd5ggOC-bXrbNODIiE3bGY]]></FromUserName>"
        b"<CreateTime>1714037059</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        b"<Event><![CDATA[debug_demo]]></Event></xml>"
    )
    opened = open_push(an_account(), query, body, at(1714037059))
    assert opened.message.event == "debug_demo"
    assert opened.message.openid == "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"


@pytest.mark.parametrize(
    "body",
    [
        f"<xml><ToUserName>gh_97417a04a28d</ToUserName><Encrypt>{PUSHED}</Encrypt></xml>",
        f'{{"ToUserName": "gh_97417a04a28d", "Encrypt": "{PUSHED}"}}',
    ],
    ids=["xml", "json"],
)
def test_the_published_safe_push_is_opened(body: str) -> None:
    query = {
        # In safe mode this one is there too, and is not what counts.
        "signature": "wrong",
        "timestamp": "1714112445",
        "nonce": "415670741",
        "encrypt_type": "aes",
        "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    }
    opened = open_push(an_account(), query, body.encode(), at(1714112445))
    assert opened.message.is_event
    assert opened.message.event == "debug_demo"
    assert opened.message.create_time == "1714112445"
    # Its inside is JSON: an answer in XML would not be understood.
    assert opened.reply("已收到", at(1714112445)) == "success"


def test_the_published_answer_has_the_published_signature() -> None:
    assert (
        signature_of(TOKEN, "1713424427", "415670741", ANSWERED)
        == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
    )
    assert unseal(ANSWERED, [KEY], APPID).message == b'{"demo_resp":"good luck"}'


def test_what_we_seal_the_platform_opens() -> None:
    for length in (0, 1, 31, 32, 33, 500):
        message = b"x" * length
        assert decrypt(seal(message, KEY, APPID), KEY) == (message, APPID)


def test_the_previous_key_still_opens_and_answers() -> None:
    account = an_account(aes_key=OTHER_KEY, previous_aes_key=KEY)
    platform = CallbackSender("http://unused", TOKEN, APPID, KEY)
    query, body = platform.sealed(platform.text("oUser", "还是旧密钥"), timestamp=1714112445)
    opened = open_push(account, query, body, at(1714112445))
    assert opened.message.text == "还是旧密钥"
    answer = platform.read_reply(opened.reply("已收到 ]]> &<>", at(1714112446)))
    assert answer["Content"] == "已收到 ]]> &<>"
    assert answer["ToUserName"] == "oUser"
    assert answer["FromUserName"] == platform.platform_id


def _faulty() -> dict[str, str]:
    good = base64.b64decode(encrypt(b"<xml/>", KEY, APPID))
    return {
        "cut": base64.b64encode(good[:-7]).decode(),
        "cut at a block": base64.b64encode(good[:-16]).decode(),
        "one bit changed": base64.b64encode(good[:-1] + bytes([good[-1] ^ 1])).decode(),
        "another key": encrypt(b"<xml/>", OTHER_KEY, APPID),
        "another application": encrypt(b"<xml/>", KEY, "wxforeign"),
        "not base64": "这不是密文!!",
        "empty": "",
        "zeros": base64.b64encode(bytes(64)).decode(),
        "one block": base64.b64encode(bytes(16)).decode(),
    }


@pytest.mark.parametrize("name", _faulty())
def test_every_faulty_cipher_gets_the_same_refusal(name: str) -> None:
    encrypted = _faulty()[name]
    query = {
        "timestamp": "1714112445",
        "nonce": "n",
        "encrypt_type": "aes",
        "msg_signature": sign(TOKEN, "1714112445", "n", encrypted),
    }
    body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
    account = an_account(previous_aes_key="C" * 43)
    with pytest.raises(BadCipher) as caught:
        open_push(account, query, body, at(1714112445))
    assert (caught.value.status, str(caught.value)) == (400, "cipher")


def test_a_safe_push_to_an_account_without_key_is_refused_like_a_bad_cipher() -> None:
    platform = CallbackSender("http://unused", TOKEN, APPID, KEY)
    query, body = platform.sealed(platform.text("oUser", "x"), timestamp=1714112445)
    with pytest.raises(BadCipher):
        open_push(an_account(aes_key=None), query, body, at(1714112445))


@pytest.mark.parametrize("given", ["", "0" * 40, "签名", "\ud800"])
def test_a_wrong_signature_is_refused_before_anything_else(given: str) -> None:
    query = {"signature": given, "timestamp": "1", "nonce": "n", "echostr": "<script>"}
    with pytest.raises(BadSignature) as caught:
        answer_url_check(an_account(), query, at(1714112445))
    assert caught.value.status == 401
    with pytest.raises(BadSignature):
        open_push(an_account(), query, b"<!DOCTYPE not even xml", at(1714112445))


def test_a_safe_push_is_not_believed_for_its_plain_signature() -> None:
    platform = CallbackSender("http://unused", TOKEN, APPID, KEY)
    query, body = platform.sealed(platform.text("oUser", "x"), timestamp=1714112445)
    del query["msg_signature"]
    with pytest.raises(BadSignature):
        open_push(an_account(), query, body, at(1714112445))


def test_another_tokens_signature_is_refused() -> None:
    stranger = CallbackSender("http://unused", "stranger", APPID, KEY)
    query, body = stranger.sealed(stranger.text("oUser", "x"), timestamp=1714112445)
    with pytest.raises(BadSignature):
        open_push(an_account(), query, body, at(1714112445))


@pytest.mark.parametrize(
    ("offset", "good"), [(0, True), (-300, True), (60, True), (-301, False), (61, False)]
)
def test_only_the_last_five_minutes_count(offset: int, good: bool) -> None:
    platform = CallbackSender("http://unused", TOKEN, APPID)
    now = 1714112445
    query, body = platform.sealed(platform.text("oUser", "x"), timestamp=now + offset)
    if good:
        assert open_push(an_account(), query, body, at(now)).message.text == "x"
    else:
        with pytest.raises(StaleTimestamp) as caught:
            open_push(an_account(), query, body, at(now))
        assert caught.value.status == 401


@pytest.mark.parametrize("moment", ["", "-1", "１７１４", "1e9", "9" * 5000, "99999999999"])
def test_a_timestamp_that_is_none_is_stale(moment: str) -> None:
    query = {"timestamp": moment, "nonce": "n", "signature": sign(TOKEN, moment, "n")}
    with pytest.raises(StaleTimestamp):
        answer_url_check(an_account(), query, at(1714112445))


def test_an_account_may_insist_on_safe_mode() -> None:
    platform = CallbackSender("http://unused", TOKEN, APPID)
    query, body = platform.sealed(platform.text("oUser", "x"), timestamp=1714112445)
    with pytest.raises(BadSignature):
        open_push(an_account(safe_mode_only=True), query, body, at(1714112445))


def test_comparing_texts_knows_equal_from_different() -> None:
    assert same("abc", "abc")
    assert not same("abc", "abd")
    assert not same("abc", "")


def test_a_long_answer_is_cut_between_characters() -> None:
    text = clip("馆" * 5000)
    assert len(text.encode()) <= 2048
    assert text.endswith("馆…")
    assert clip("短") == "短"


def test_accounts_come_from_json_or_from_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    raw = (
        '[{"account": "main", "appid": "wx1", "secret": "s3cret", "token": "t0ken",'
        f' "aes_key": "{KEY}", "previous_aes_key": "", "api_base": "http://127.0.0.1:9100"}},'
        ' {"account": "second", "appid": "wx2", "token": "t"}]'
    )
    accounts = accounts_from_setting(raw)
    assert list(accounts) == ["main", "second"]
    assert accounts["main"].keys == (KEY,)
    assert accounts["second"].keys == ()
    assert "s3cret" not in repr(accounts)
    assert "t0ken" not in repr(accounts)
    assert KEY not in repr(accounts)
    (tmp_path / "accounts.json").write_text(raw)
    assert accounts_from_setting(str(tmp_path / "accounts.json")) == accounts
    assert accounts_from_setting("  ") == {}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("[{", "not valid JSON"),
        ("{}", "must be a JSON list"),
        ("/no/such/file.json", "cannot be read"),
        ('["hidden-token"]', "entry 1"),
        ('[{"account": "main", "appid": "wx1"}]', "entry 1, token"),
        ('[{"account": "a b", "appid": "wx1", "token": "hidden-token"}]', "entry 1, account"),
        (
            '[{"account": "a", "appid": "x", "token": "t", "aes_key": "hidden-token"}]',
            "entry 1, aes_key: must be the 43 letters",
        ),
        (
            '[{"account":"a","appid":"x","token":"t"},{"account":"a","appid":"y","token":"t"}]',
            "'a' is listed twice",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(raw: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^EXPRESS_WECHAT: ") as caught:
        accounts_from_setting(raw)
    sentence = str(caught.value)
    assert says in sentence
    assert "\n" not in sentence
    assert "hidden-token" not in sentence
