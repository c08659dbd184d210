"""Mail against a real server on a real socket: what goes over the line, and what comes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notification.outlets import (
    NeverThere,
    OutgoingMessage,
    SmtpOutlet,
    TryLater,
    Uncertain,
    Undelivered,
    fixed_message_id,
    mail_domain,
    server_from_setting,
)
from services.notification.outlets.base import STOPPED
from services.notification.outlets.mail import UnsafeHeader, build_mail, mailbox
from services.notification.outlets.smtp import SmtpServer, SmtpSettingError, _stuffed
from shared.clock import ManualClock
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


def outlet(sink: SmtpSink, limit: float = 5.0) -> SmtpOutlet:
    return SmtpOutlet(
        server_from_setting(sink.url),
        sender=SENDER,
        clock=ManualClock(NOW),
        limit=timedelta(seconds=limit),
    )


async def test_an_automatic_mail_arrives_whole_and_starts_no_conversation(sink: SmtpSink) -> None:
    sent = await outlet(sink).send(MESSAGE)
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
    await outlet(sink).send(dataclasses.replace(MESSAGE, kind="reply", locale="en"))
    (got,) = sink.received
    assert got.mail_from == SENDER
    assert got.message["Auto-Submitted"] is None
    assert got.message["From"].addresses[0].display_name == "Feedback Express"


async def test_a_mail_may_bring_its_html_beside_the_text(sink: SmtpSink) -> None:
    await outlet(sink).send(dataclasses.replace(MESSAGE, html="<p>您好</p>"))
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
        (Mode.LATER, TryLater, "smtp_451", 0),
        (Mode.LATER_AFTER_DATA, TryLater, "smtp_452", 0),
        (Mode.REFUSE, NeverThere, "smtp_550", 0),
        (Mode.REFUSE_AFTER_DATA, NeverThere, "smtp_554", 0),
        (Mode.DROP_BEFORE_DATA, TryLater, "smtp_unreachable", 0),
        (Mode.DROP_AFTER_DATA, Uncertain, "smtp_no_answer_after_data", 1),
    ],
)
async def test_what_the_server_does_decides_what_we_do(
    sink: SmtpSink, mode: Mode, failure: type[Undelivered], reason: str, arrived: int
) -> None:
    sink.mode = mode
    with pytest.raises(failure) as caught:
        await outlet(sink).send(MESSAGE)
    assert caught.value.reason == reason
    assert len(sink.received) == arrived


@pytest.mark.parametrize(
    ("mode", "failure"), [(Mode.TARPIT, TryLater), (Mode.TARPIT_AFTER_DATA, Uncertain)]
)
async def test_a_tarpit_is_left_after_the_limit(
    sink: SmtpSink, mode: Mode, failure: type[Undelivered]
) -> None:
    sink.mode = mode
    with pytest.raises(failure):
        await outlet(sink, limit=0.4).send(MESSAGE)


async def test_one_bad_receiver_does_not_hold_up_another(sink: SmtpSink) -> None:
    sink.modes["slow@example.org"] = Mode.TARPIT
    mail = outlet(sink)
    slow = asyncio.create_task(mail.send(dataclasses.replace(MESSAGE, to="slow@example.org")))
    await mail.send(MESSAGE)
    assert not slow.done()
    slow.cancel()
    with pytest.raises(TryLater) as caught:
        await slow
    assert caught.value.reason == STOPPED


async def test_a_stop_after_the_message_was_handed_over_is_no_try_later(sink: SmtpSink) -> None:
    sink.mode = Mode.TARPIT_AFTER_DATA
    sending = asyncio.create_task(outlet(sink).send(MESSAGE))
    while not sink.received:
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_a_server_that_is_away_is_for_later() -> None:
    async with smtp_sink() as gone:
        address = server_from_setting(gone.url)
    mail = SmtpOutlet(address, sender=SENDER, clock=ManualClock(NOW))
    with pytest.raises(TryLater) as caught:
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
        mail = SmtpOutlet(
            SmtpServer("127.0.0.1", port),
            sender=SENDER,
            clock=ManualClock(NOW),
            limit=timedelta(seconds=0.4),
        )
        with pytest.raises(TryLater) as caught:
            await mail.send(MESSAGE)
        assert caught.value.reason == "smtp_timeout"


async def test_the_password_of_the_setting_opens_the_server() -> None:
    async with smtp_sink(login=("desk", "p@ss:w/rd")) as sink:
        url = sink.url.replace("smtp://", "smtp://desk:p%40ss%3Aw%2Frd@")
        mail = SmtpOutlet(server_from_setting(url), sender=SENDER, clock=ManualClock(NOW))
        await mail.send(MESSAGE)
        assert len(sink.received) == 1
        wrong = dataclasses.replace(server_from_setting(url), password="wrong")
        mail = SmtpOutlet(wrong, sender=SENDER, clock=ManualClock(NOW))
        # Ours to mend: the receiver must not be given up for it.
        with pytest.raises(TryLater) as caught:
            await mail.send(MESSAGE)
        assert caught.value.reason == "smtp_535"
        nobody = dataclasses.replace(wrong, user=None, password=None)
        mail = SmtpOutlet(nobody, sender=SENDER, clock=ManualClock(NOW))
        with pytest.raises(TryLater):
            await mail.send(MESSAGE)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    return folder / "both.pem"


async def test_an_encrypted_line_is_used_only_with_a_certificate_we_trust(tmp_path: Path) -> None:
    pem = _certificate(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(pem)
    async with smtp_sink(tls=serving) as sink:
        server = server_from_setting(f"smtps://localhost:{sink.port}")
        clock = ManualClock(NOW)
        trusted = ssl.create_default_context(cafile=pem)
        await SmtpOutlet(server, sender=SENDER, clock=clock, tls_context=trusted).send(MESSAGE)
        assert len(sink.received) == 1
        with pytest.raises(TryLater):
            await SmtpOutlet(server, sender=SENDER, clock=clock).send(MESSAGE)
        assert len(sink.received) == 1


async def test_a_site_without_a_name_still_sends_mail(sink: SmtpSink) -> None:
    domain = mail_domain("http://127.0.0.1:8080/feedback")
    mail = SmtpOutlet(
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
    with pytest.raises(NeverThere) as caught:
        await outlet(sink).send(dataclasses.replace(MESSAGE, **{field: value}))
    assert caught.value.reason == f"unsafe_{field}"
    assert sink.received == []


async def test_words_that_look_like_the_end_of_a_mail_stay_words(sink: SmtpSink) -> None:
    text = "first\n.\nQUIT\n\nMAIL FROM:<x@y>\n"
    await outlet(sink).send(dataclasses.replace(MESSAGE, text=text))
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


@pytest.mark.parametrize(
    "raw", ["mail.example", "http://mail.example:25", "smtp://:25", "smtp://h:hidden", "smtp://h/p"]
)
def test_a_wrong_setting_names_the_variable_and_no_secret(raw: str) -> None:
    with pytest.raises(SmtpSettingError, match=r"^EXPRESS_SMTP: must be") as caught:
        server_from_setting(raw)
    assert "hidden" not in str(caught.value)
