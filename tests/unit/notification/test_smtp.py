"""Mail against a real server on a real socket: what goes over the line, and what comes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notification.transports import (
    Interrupted,
    OutgoingMessage,
    PermanentFailure,
    SmtpTransport,
    TemporaryFailure,
    TransportUnavailable,
    Undelivered,
    UnknownOutcome,
    fixed_message_id,
    fixed_thread_id,
    mail_domain,
    server_from_setting,
)
from services.notification.transports.mail import UnsafeHeader, build_mail, mailbox
from services.notification.transports.smtp import SmtpServer, SmtpSettingError, _stuffed
from shared.clock import ManualClock
from tests.fakes.certificates import Authority
from tests.fakes.smtp import Mode, SmtpSink, smtp_sink

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
SENDER = "feedback@library.example"
MESSAGE = OutgoingMessage(
    message_id=fixed_message_id("0198a1f0-7c3e-7d10-9a51-3f0b8f2a5c77", "library.example"),
    to="reader@example.org",
    subject="我们收到了您的反馈，会在三月十一日前答复您（编号 ABCD-1234），感谢您的耐心等待",
    text="您好：\n.一行以点开头\n😀 <b>不是标签</b>\n",
)


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


def transport(sink: SmtpSink, limit: float = 5.0) -> SmtpTransport:
    return SmtpTransport(
        server_from_setting(sink.url),
        sender=SENDER,
        clock=ManualClock(NOW),
        limit=timedelta(seconds=limit),
    )


async def test_all_mails_of_a_case_refer_to_the_same_and_to_nothing_of_ours(sink: SmtpSink) -> None:
    thread = fixed_thread_id("0198a1f0-case", "library.example")
    for number in (1, 2):
        mail = dataclasses.replace(
            MESSAGE, message_id=f"<{number}@library.example>", thread_id=thread
        )
        await transport(sink).send(mail)
    await transport(sink).send(MESSAGE)
    first, second, other = (got.message for got in sink.received)
    assert first["References"] == second["References"] == first["In-Reply-To"] == thread
    assert "0198a1f0" not in thread
    assert thread != fixed_thread_id("another", "library.example")
    assert other["References"] is other["In-Reply-To"] is None


async def test_an_automatic_mail_arrives_whole_and_starts_no_conversation(sink: SmtpSink) -> None:
    sent = await transport(sink).send(MESSAGE)
    assert sent.channel == "email"
    assert "kept as number 1" in sent.reference
    (got,) = sink.received
    assert got.mail_from == ""
    assert got.rcpt_to == ["reader@example.org"]
    assert got.raw.isascii()
    mail = got.message
    assert mail["Subject"] == MESSAGE.subject
    assert mail["Message-ID"] == MESSAGE.message_id
    assert mail["To"] == "reader@example.org"
    assert mail["From"] == "用户反馈直通车 <feedback@library.example>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Date"].datetime == NOW
    assert mail["Content-Language"] == "zh-CN"
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.text


async def test_a_persons_reply_is_not_marked_automatic_and_can_bounce(sink: SmtpSink) -> None:
    await transport(sink).send(dataclasses.replace(MESSAGE, kind="reply", locale="en"))
    (got,) = sink.received
    assert got.mail_from == SENDER
    assert got.message["Auto-Submitted"] is None
    assert got.message["From"].addresses[0].display_name == "Feedback Express"


async def test_a_mail_may_bring_its_html_beside_the_text(sink: SmtpSink) -> None:
    await transport(sink).send(dataclasses.replace(MESSAGE, html="<p>您好</p>"))
    mail = sink.received[0].message
    assert mail.get_content_type() == "multipart/alternative"
    html, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert html.get_content().strip() == "<p>您好</p>"
    assert plain.get_content().replace("\r\n", "\n") == MESSAGE.text


@pytest.mark.parametrize(
    ("mode", "failure", "reason", "arrived"),
    [
        (Mode.LATER, TemporaryFailure, "smtp_451", 0),
        (Mode.LATER_AFTER_DATA, TemporaryFailure, "smtp_452", 0),
        (Mode.REFUSE, PermanentFailure, "smtp_550", 0),
        (Mode.REFUSE_AFTER_DATA, PermanentFailure, "smtp_554", 0),
        (Mode.DROP_BEFORE_DATA, TemporaryFailure, "smtp_unreachable", 0),
        (Mode.DROP_AFTER_DATA, UnknownOutcome, "smtp_no_answer_after_data", 1),
    ],
)
async def test_what_the_server_does_decides_what_we_do(
    sink: SmtpSink, mode: Mode, failure: type[Undelivered], reason: str, arrived: int
) -> None:
    sink.mode = mode
    with pytest.raises(failure) as caught:
        await transport(sink).send(MESSAGE)
    assert caught.value.reason == reason
    assert len(sink.received) == arrived


@pytest.mark.parametrize("command", ["EHLO", "MAIL"])
@pytest.mark.parametrize("answer", ["550 5.7.1 no", "553 sender rejected", "501 what?", "451 wait"])
async def test_what_is_refused_before_a_receiver_is_named_is_ours(
    sink: SmtpSink, command: str, answer: str
) -> None:
    sink.answers[command] = answer
    with pytest.raises(TransportUnavailable) as caught:
        await transport(sink).send(MESSAGE)
    assert caught.value.reason == f"smtp_{answer[:3]}"
    assert not caught.value.receiver_named


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.8 <feedback@library.example>: Sender address rejected: Domain not found",
        "553 5.7.1 <feedback@library.example>: Sender address rejected: not owned by user",
        "554 5.7.1 <reader@example.org>: Relay access denied",
        "554 5.7.1 <unknown[10.0.0.1]>: Client host rejected: Access denied",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        "550 5.7.26 Unauthenticated email is not accepted",
        "530 5.7.0 Authentication required",
        "550 5.4.5 Daily user sending limit exceeded",
        "550 5.7.1 Client does not have permissions to send as this sender",
        "550 Sender verify failed",
        "550 5.7.1 SPF check failed",
        '550 The "From" header is missing or invalid',
        "554 5.7.1 You are not allowed to send mail from this address",
    ],
)
@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_a_refusal_of_us_that_comes_with_the_receiver_is_ours_too(
    sink: SmtpSink, answer: str, command: str
) -> None:
    sink.answers[command] = answer
    with pytest.raises(TransportUnavailable) as caught:
        await transport(sink).send(MESSAGE)
    assert caught.value.receiver_named


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 <relay.denied@example.org>: user unknown",
        "550 5.7.1 this mailbox takes no mail from strangers",
        "550 no such user",
    ],
)
async def test_a_refusal_of_the_receiver_stays_one(sink: SmtpSink, answer: str) -> None:
    sink.answers["RCPT"] = answer
    with pytest.raises(PermanentFailure):
        await transport(sink).send(MESSAGE)


async def test_answers_go_where_the_setting_says(sink: SmtpSink) -> None:
    mail = SmtpTransport(
        server_from_setting(sink.url),
        sender=SENDER,
        reply_to="office@library.example",
        clock=ManualClock(NOW),
    )
    await mail.send(MESSAGE)
    assert sink.received[0].message["Reply-To"] == "office@library.example"
    assert sink.received[0].message["From"] == "用户反馈直通车 <feedback@library.example>"


@pytest.mark.parametrize(
    ("mode", "failure"), [(Mode.TARPIT, TemporaryFailure), (Mode.TARPIT_AFTER_DATA, UnknownOutcome)]
)
async def test_a_tarpit_is_left_after_the_limit(
    sink: SmtpSink, mode: Mode, failure: type[Undelivered]
) -> None:
    sink.mode = mode
    with pytest.raises(failure):
        await transport(sink, limit=0.4).send(MESSAGE)


async def test_one_bad_receiver_does_not_hold_up_another(sink: SmtpSink) -> None:
    sink.modes["slow@example.org"] = Mode.TARPIT
    mail = transport(sink)
    slow = asyncio.create_task(mail.send(dataclasses.replace(MESSAGE, to="slow@example.org")))
    await mail.send(MESSAGE)
    assert not slow.done()
    slow.cancel()
    with pytest.raises(Interrupted):
        await slow


async def test_a_stop_after_the_message_was_handed_over_is_no_try_later(sink: SmtpSink) -> None:
    sink.mode = Mode.TARPIT_AFTER_DATA
    sending = asyncio.create_task(transport(sink).send(MESSAGE))
    while not sink.received:
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_a_server_that_is_away_is_for_later() -> None:
    async with smtp_sink() as gone:
        address = server_from_setting(gone.url)
    mail = SmtpTransport(address, sender=SENDER, clock=ManualClock(NOW))
    with pytest.raises(TransportUnavailable) as caught:
        await mail.send(MESSAGE)
    assert caught.value.reason == "smtp_unreachable"


async def test_a_server_that_drips_its_greeting_is_left_after_the_limit() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"220-wait\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        mail = SmtpTransport(
            SmtpServer("127.0.0.1", port),
            sender=SENDER,
            clock=ManualClock(NOW),
            limit=timedelta(seconds=0.4),
        )
        with pytest.raises(TransportUnavailable) as caught:
            await mail.send(MESSAGE)
        assert caught.value.reason == "smtp_timeout"


async def test_the_password_of_the_setting_opens_the_server() -> None:
    async with smtp_sink(login=("desk", "p@ss:w/rd")) as sink:
        url = sink.url.replace("smtp://", "smtp://desk:p%40ss%3Aw%2Frd@")
        mail = SmtpTransport(server_from_setting(url), sender=SENDER, clock=ManualClock(NOW))
        await mail.send(MESSAGE)
        assert len(sink.received) == 1
        wrong = dataclasses.replace(server_from_setting(url), password="wrong")
        mail = SmtpTransport(wrong, sender=SENDER, clock=ManualClock(NOW))
        # Ours to mend: the receiver must not be given up for it.
        with pytest.raises(TransportUnavailable) as caught:
            await mail.send(MESSAGE)
        assert caught.value.reason == "smtp_535"
        nobody = dataclasses.replace(wrong, user=None, password=None)
        mail = SmtpTransport(nobody, sender=SENDER, clock=ManualClock(NOW))
        with pytest.raises(TransportUnavailable):
            await mail.send(MESSAGE)


def _serving(authority: Authority, *hosts: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("mail", *hosts))
    return context


async def _send(url: str) -> None:
    server = server_from_setting(url)
    await SmtpTransport(server, sender=SENDER, clock=ManualClock(NOW)).send(MESSAGE)


async def _is_refused(url: str, reason: str) -> None:
    # Ours to mend: the message waits, and the reason is shown.
    with pytest.raises(TransportUnavailable) as caught:
        await _send(url)
    assert caught.value.reason == reason


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_an_encrypted_line_is_used_only_with_a_certificate_we_trust(
    tmp_path: Path, scheme: str
) -> None:
    authority, stranger = Authority(tmp_path / "own"), Authority(tmp_path / "strange")
    serving = _serving(authority, "localhost")
    how = {"tls": serving} if scheme == "smtps" else {"starttls": serving}
    async with smtp_sink(login=("desk", "p@ss"), **how) as sink:
        url = f"{scheme}://desk:p%40ss@localhost:{sink.port}"
        await _send(f"{url}?cafile={authority.file}")
        assert len(sink.received) == 1
        for wrong in (url, f"{url}?cafile={stranger.file}"):
            await _is_refused(wrong, "smtp_certificate_not_trusted")
        other_name = url.replace("localhost", "127.0.0.1")
        await _is_refused(f"{other_name}?cafile={authority.file}", "smtp_certificate_not_trusted")
        assert (len(sink.received), sink.logins) == (1, 1)


async def test_nothing_is_said_in_clear_to_a_server_that_does_not_offer_to_encrypt(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    async with smtp_sink(login=("desk", "p@ss")) as sink:
        url = f"smtp+starttls://desk:p%40ss@localhost:{sink.port}?cafile={authority.file}"
        await _is_refused(url, "smtp_no_starttls")
        assert (sink.received, sink.senders, sink.logins) == ([], [], 0)


async def test_a_site_without_a_name_still_sends_mail(sink: SmtpSink) -> None:
    domain = mail_domain("http://127.0.0.1:8080/feedback")
    mail = SmtpTransport(
        server_from_setting(sink.url), sender=f"feedback@{domain}", clock=ManualClock(NOW)
    )
    await mail.send(
        dataclasses.replace(MESSAGE, kind="reply", message_id=fixed_message_id("d1", domain))
    )
    assert sink.received[0].mail_from == "feedback@[127.0.0.1]"
    assert sink.received[0].message["Message-ID"] == "<d1@[127.0.0.1]>"
    assert mail_domain("https://feedback.library.example/x") == "feedback.library.example"
    assert mail_domain("http://[::1]:8080") == "[IPv6:::1]"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "您好\r\nBcc: all@example.org"),
        ("subject", "a\nb"),
        ("subject", "a\u2028b"),
        ("subject", "a\x00b"),
        ("to", "reader@example.org\r\nRCPT TO:<other@example.org>"),
        ("to", "reader@example.org, other@example.org"),
        ("to", "Reader <reader@example.org>"),
        ("to", "reader@example.org> SIZE=1"),
        ("to", "no-address"),
        ("to", ""),
        ("message_id", "<a@b>\r\nBcc: x@example.org"),
        ("message_id", "no-angle-brackets"),
    ],
)
async def test_nobody_injects_a_header(sink: SmtpSink, field: str, value: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        await transport(sink).send(dataclasses.replace(MESSAGE, **{field: value}))
    assert caught.value.reason == f"unsafe_{field}"
    assert sink.received == []


async def test_words_that_look_like_the_end_of_a_mail_stay_words(sink: SmtpSink) -> None:
    text = "first\n.\nQUIT\n\nMAIL FROM:<x@y>\n"
    await transport(sink).send(dataclasses.replace(MESSAGE, text=text))
    assert sink.received[0].message.get_content().replace("\r\n", "\n") == text
    assert _stuffed(b"a\r\n.\r\n..b") == b"a\r\n..\r\n...b\r\n.\r\n"


def test_a_chinese_domain_travels_in_its_ascii_form() -> None:
    assert mailbox("reader@图书馆.example") == "reader@xn--1jq52s681d.example"
    with pytest.raises(UnsafeHeader):
        mailbox("读者@example.org")


def test_every_attempt_has_the_same_message_id() -> None:
    first, second = (build_mail(MESSAGE, SENDER, NOW) for _ in range(2))
    line = f"\r\nMessage-ID: {MESSAGE.message_id}\r\n".encode()
    assert line in first
    assert line in second


def test_the_setting_is_read_and_its_secrets_are_not_shown() -> None:
    server = server_from_setting("smtps://desk%40x:hidden@mail.example:465")
    assert server == SmtpServer("mail.example", 465, tls=True, user="desk@x", password="hidden")
    assert "hidden" not in repr(server)
    assert server_from_setting("smtp://[::1]:2525/") == SmtpServer("::1", 2525)
    starttls = server_from_setting("smtp+starttls://desk:hidden@mail.example")
    assert (starttls.port, starttls.tls, starttls.starttls) == (587, False, True)


@pytest.mark.parametrize("host", ["mail.example", "10.0.0.1", "[2001:db8::1]"])
def test_a_password_never_leaves_the_machine_in_clear(host: str) -> None:
    with pytest.raises(SmtpSettingError, match=r"smtp\+starttls") as caught:
        server_from_setting(f"smtp://desk:hidden@{host}:25")
    assert "hidden" not in str(caught.value)
    assert server_from_setting(f"smtp://{host}:25").user is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_inside_the_machine_it_may(host: str) -> None:
    assert server_from_setting(f"smtp://desk:hidden@{host}:25").password == "hidden"


def test_an_authority_is_a_file_of_certificates(tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere.pem", Path(__file__)):
        with pytest.raises(SmtpSettingError, match="cannot be read as certificates"):
            server_from_setting(f"smtps://desk:hidden@mail.example:465?cafile={wrong}")
    with pytest.raises(SmtpSettingError, match="cafile needs"):
        server_from_setting(f"smtp://mail.example:25?cafile={__file__}")


@pytest.mark.parametrize(
    "raw", ["mail.example", "http://mail.example:25", "smtp://:25", "smtp://h:hidden", "smtp://h/p"]
)
def test_a_wrong_setting_names_the_variable_and_no_secret(raw: str) -> None:
    with pytest.raises(SmtpSettingError, match=r"^EXPRESS_SMTP: must be") as caught:
        server_from_setting(raw)
    assert "hidden" not in str(caught.value)
