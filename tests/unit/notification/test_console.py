"""The console twin shows what would have gone out, and nothing it should not."""

from __future__ import annotations

import asyncio
import io
import threading

import pytest

from services.notification.transports import ConsoleTransport, OutgoingMessage, Printer, Sent
from services.notification.transports.console import mask


def a_message(**more: str) -> OutgoingMessage:
    values = {
        "message_id": "<d1@library.example>",
        "to": "reader@example.org",
        "subject": "我们收到了您的反馈",
        "text": "您好：\n您的反馈已收到。",
    }
    return OutgoingMessage(**{**values, **more})  # type: ignore[arg-type]


async def test_the_console_shows_the_message_with_the_address_masked() -> None:
    out = io.StringIO()
    sent = await ConsoleTransport(out).send(a_message())
    shown = out.getvalue()
    assert sent == Sent("console", "<d1@library.example>")
    assert "将发送 email · receipt" in shown
    assert "我们收到了您的反馈" in shown
    assert "您的反馈已收到。" in shown
    assert "r***@example.org" in shown
    assert "reader@" not in shown


async def test_the_console_speaks_english_too() -> None:
    out = io.StringIO()
    await ConsoleTransport(out, instead_of="wechat").send(a_message(locale="en", subject=""))
    assert "Would send wechat" in out.getvalue()
    assert "Subject" not in out.getvalue()


async def test_terminal_escapes_in_a_message_are_shown_not_obeyed() -> None:
    out = io.StringIO()
    await ConsoleTransport(out).send(a_message(text="a\x1b[2Jb\u202ec\rd"))
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "\\x1b[2Jb\\x202ec" in out.getvalue()


async def test_without_a_stream_it_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    transport = ConsoleTransport()
    await transport.send(a_message())
    await transport.aclose()
    assert "我们收到了您的反馈" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("a@b.c", "a***@b.c"),
        ("oABCDEFGHIJKLxyz", "oAB***yz"),
        ("13800001234", "138***34"),
        ("short", "***"),
        ("", "***"),
    ],
)
def test_a_masked_address_cannot_be_written_to(address: str, masked: str) -> None:
    assert mask(address) == masked


def test_a_message_in_a_log_shows_no_address_and_no_words() -> None:
    assert "example.org" not in repr(a_message())
    assert "您好" not in repr(a_message())


async def test_a_reader_that_sleeps_does_not_stop_the_system() -> None:
    class Stuck(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.open = threading.Event()

        def write(self, text: str) -> int:
            self.open.wait(10)
            return super().write(text)

    stuck = Stuck()
    printer = Printer(size=3, stream=stuck)
    for n in range(50):
        printer.write(f"line {n}\n")
    stuck.open.set()
    while "line 0" not in stuck.getvalue():
        await asyncio.sleep(0.01)
    printer.write("last\n")
    while "last" not in stuck.getvalue():
        await asyncio.sleep(0.01)
    assert "未显示" in stuck.getvalue()
