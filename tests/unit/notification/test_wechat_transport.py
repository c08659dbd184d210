"""Sending to WeChat against a server that speaks its protocol."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from pydantic import SecretStr

from services.notification.transports import (
    AccessToken,
    MemoryTokenStore,
    OutgoingMessage,
    PermanentFailure,
    TemporaryFailure,
    TransportUnavailable,
    UnknownOutcome,
    WechatApp,
    WechatTransport,
    apps_from_setting,
)
from services.notification.transports.wechat import FINAL
from shared.clock import ManualClock, SystemClock
from tests.fakes.serving import serving
from tests.fakes.wechat import FakeWechat, make_app
from tests.patience import ANSWER

APPID = "wxba5fad812f8e6fb9"
MESSAGE = OutgoingMessage(
    message_id="<d1@library.example>",
    to="oUser0001",
    subject="答复",
    text='您好，水龙头已修好 😀 "引号"\n谢谢您！',
    kind="reply",
)


@dataclasses.dataclass
class Line:
    fake: FakeWechat
    transport: WechatTransport
    tokens: MemoryTokenStore
    clock: ManualClock
    url: str


@asynccontextmanager
async def a_line() -> AsyncIterator[Line]:
    fake = FakeWechat(apps={APPID: "s3cret"})
    async with serving(make_app(fake)) as url, httpx2.AsyncClient(timeout=ANSWER) as client:
        app = WechatApp(account="main", appid=APPID, secret=SecretStr("s3cret"), api_base=url + "/")
        tokens, clock = MemoryTokenStore(), ManualClock(datetime.now(UTC))
        transport = WechatTransport(app, tokens, clock, client=client)
        fake.did(APPID, MESSAGE.to)
        yield Line(fake, transport, tokens, clock, url)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with a_line() as running:
        yield running


async def test_a_message_arrives_in_real_characters(line: Line) -> None:
    sent = await line.transport.send(MESSAGE)
    assert sent.channel == "wechat"
    (got,) = line.fake.deliveries
    assert (got.appid, got.openid, got.text) == (APPID, MESSAGE.to, MESSAGE.text)
    assert "水龙头" in got.raw
    assert "\\u" not in got.raw
    assert line.fake.token_calls == [
        {
            "grant_type": "client_credential",
            "appid": APPID,
            "secret": "s3cret",
            "force_refresh": False,
        }
    ]


async def test_one_token_serves_all_and_is_fetched_once(line: Line) -> None:
    line.fake.always_open = True
    await asyncio.gather(*(line.transport.send(MESSAGE) for _ in range(8)))
    assert len(line.fake.deliveries) == 8
    assert len(line.fake.token_calls) == 1


async def test_a_token_another_process_fetched_is_used(line: Line) -> None:
    answer = line.fake.issue_token(
        {"grant_type": "client_credential", "appid": APPID, "secret": "s3cret"}
    )
    token = AccessToken(answer["access_token"], line.clock.now() + timedelta(hours=2))
    await line.tokens.put(APPID, token)
    await line.transport.send(MESSAGE)
    assert len(line.fake.token_calls) == 1
    assert answer["access_token"] not in repr(token)


async def test_a_token_is_renewed_five_minutes_before_its_end(line: Line) -> None:
    await line.transport.send(MESSAGE)
    line.clock.later(minutes=114)
    await line.transport.send(MESSAGE)
    assert len(line.fake.token_calls) == 1
    line.clock.later(minutes=2)
    await line.transport.send(MESSAGE)
    assert len(line.fake.token_calls) == 2


@pytest.mark.parametrize("spoil", ["expire_tokens", "revoke_tokens"])
async def test_a_stale_token_is_renewed_once_and_the_call_repeated(line: Line, spoil: str) -> None:
    await line.transport.send(MESSAGE)
    getattr(line.fake, spoil)()
    await line.transport.send(MESSAGE)
    assert len(line.fake.deliveries) == 2
    assert len(line.fake.token_calls) == 2
    assert line.fake.send_calls == 3


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_the_platform_refuses_and_still_hands_out_is_forced(
    line: Line, code: int
) -> None:
    line.fake.fail(code)
    await line.transport.send(MESSAGE)
    assert [call["force_refresh"] for call in line.fake.token_calls] == [False, False, True]
    assert len(line.fake.deliveries) == 1


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_stays_stale_is_ours_to_mend(line: Line, code: int) -> None:
    line.fake.always_fail = code
    with pytest.raises(TransportUnavailable) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == f"wechat_{code}"
    assert line.fake.send_calls == 2


@pytest.mark.parametrize("code", sorted(FINAL))
async def test_a_final_code_asks_for_another_channel(line: Line, code: int) -> None:
    line.fake.fail(code)
    with pytest.raises(PermanentFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.use_other_channel
    assert caught.value.reason == FINAL[code]
    assert line.fake.send_calls == 1


@pytest.mark.parametrize(("code", "after"), [(-1, None), (45011, timedelta(minutes=1))])
async def test_a_busy_platform_is_for_later(line: Line, code: int, after: timedelta | None) -> None:
    line.fake.fail(code)
    with pytest.raises(TemporaryFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.after == after
    await line.transport.send(MESSAGE)
    assert len(line.fake.deliveries) == 1


async def test_the_daily_quota_is_for_tomorrow_in_beijing(line: Line) -> None:
    line.clock.set(datetime(2026, 3, 4, 15, 0, tzinfo=UTC))
    line.fake.fail(45009)
    with pytest.raises(TemporaryFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.after == timedelta(hours=1, minutes=5)


@pytest.mark.parametrize("code", [40013, 40164, 50002])
async def test_a_refused_account_gives_no_follower_up(line: Line, code: int) -> None:
    line.fake.fail(code)
    with pytest.raises(TransportUnavailable) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == f"wechat_{code}"


async def test_a_token_that_cannot_be_looked_up_is_for_later(line: Line) -> None:
    class Away(MemoryTokenStore):
        async def get(self, appid: str) -> AccessToken | None:
            raise ConnectionRefusedError

    line.transport._tokens = Away()
    with pytest.raises(TemporaryFailure):
        await line.transport.send(MESSAGE)
    assert line.fake.send_calls == 0


async def test_an_unknown_code_is_not_repeated(line: Line) -> None:
    line.fake.fail(99999)
    with pytest.raises(PermanentFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == "wechat_99999"


async def test_the_window_closes_after_48_hours(line: Line) -> None:
    line.fake.move(hours=47)
    await line.transport.send(MESSAGE)
    line.fake.move(hours=2)
    with pytest.raises(PermanentFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == "wechat_window_over"
    line.fake.did(APPID, MESSAGE.to)
    await line.transport.send(MESSAGE)
    assert len(line.fake.deliveries) == 2


async def test_the_sixth_answer_is_one_too_many(line: Line) -> None:
    for _ in range(5):
        await line.transport.send(MESSAGE)
    with pytest.raises(PermanentFailure) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == "wechat_quota_used"


@pytest.mark.parametrize(
    ("how", "reason", "arrived"),
    [
        ("deliver_then_drop", "wechat_no_answer", 1),
        ("drop", "wechat_no_answer", 0),
        ("garbage", "wechat_strange_answer", 0),
        ("502", "wechat_http_502", 0),
    ],
)
async def test_an_answer_that_never_comes_leaves_it_uncertain(
    line: Line, how: str, reason: str, arrived: int
) -> None:
    line.fake.misbehave(how)
    with pytest.raises(UnknownOutcome) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == reason
    assert len(line.fake.deliveries) == arrived


async def test_a_hanging_platform_is_left(line: Line) -> None:
    await line.transport.send(MESSAGE)  # it has its token
    line.transport._client.timeout = httpx2.Timeout(0.4, connect=ANSWER)
    line.fake.misbehave("hang")
    with pytest.raises(UnknownOutcome):
        await line.transport.send(MESSAGE)


async def test_a_gateway_that_asks_for_patience_gets_it(line: Line) -> None:
    line.fake.misbehave("503")
    with pytest.raises(TransportUnavailable):
        await line.transport.send(MESSAGE)


async def test_a_platform_that_is_away_is_for_later(line: Line) -> None:
    token = AccessToken("t", line.clock.now() + timedelta(hours=2))
    app = WechatApp(account="main", appid=APPID, api_base="http://127.0.0.1:1")
    transport = WechatTransport(app, MemoryTokenStore(), SystemClock())
    with pytest.raises(TransportUnavailable) as caught:
        await transport.send(MESSAGE)
    assert caught.value.reason == "wechat_token_unreachable"
    await transport._tokens.put(APPID, token)
    with pytest.raises(TransportUnavailable) as caught:
        await transport.send(MESSAGE)
    assert caught.value.reason == "wechat_unreachable"
    await transport.aclose()


async def test_a_wrong_secret_is_ours_to_mend_and_gives_nobody_up(line: Line) -> None:
    line.fake.apps[APPID] = "changed"
    with pytest.raises(TransportUnavailable) as caught:
        await line.transport.send(MESSAGE)
    assert caught.value.reason == "wechat_token_40125"


async def test_the_log_never_holds_a_token(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await line.transport.send(MESSAGE)
    kept = await line.tokens.get(APPID)
    assert kept is not None
    assert "access_token=…" in caplog.text
    assert kept.value not in caplog.text


def test_the_setting_names_the_senders_and_hides_their_secrets(tmp_path) -> None:  # type: ignore[no-untyped-def]
    raw = '[{"account": "main", "appid": "wx1", "secret": "hidden", "token": "t"}]'
    apps = apps_from_setting(raw)
    assert apps["main"].secret.get_secret_value() == "hidden"
    assert "hidden" not in repr(apps)
    (tmp_path / "w.json").write_text(raw)
    assert apps_from_setting(str(tmp_path / "w.json")) == apps
    assert apps_from_setting("") == {}
    for wrong in ("[{", "/no/such/file", '[{"account": "hidden"}]'):
        with pytest.raises(ValueError, match=r"^EXPRESS_WECHAT: ") as caught:
            apps_from_setting(wrong)
        assert "hidden" not in str(caught.value)
