"""A mail server, an official account, and notification between them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from shared.service import Runtime
from tests.fakes.serving import serving
from tests.fakes.smtp import SmtpSink, smtp_sink
from tests.fakes.wechat import FakeWechat, make_app
from tests.service.notification.support import Watch, watching


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


@pytest_asyncio.fixture
async def watch(make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink) -> Watch:
    return await watching(make_quiet_runtime, smtp=sink.url)


@pytest_asyncio.fixture
async def wechat() -> AsyncIterator[tuple[FakeWechat, str]]:
    fake = FakeWechat(apps={"wx1": "s1"})
    async with serving(make_app(fake)) as url:
        yield (
            fake,
            json.dumps(
                [
                    {
                        "account": "library",
                        "appid": "wx1",
                        "secret": "s1",
                        "token": "t",
                        "api_base": url,
                    }
                ]
            ),
        )
