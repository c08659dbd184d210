"""One house apart for all tests of this folder: real servers, six processes, nginx."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from shared.embedded import start_servers
from tests.fakes.serving import serving
from tests.fakes.smtp import smtp_sink
from tests.fakes.wechat import FakeWechat, make_app
from tests.integration.house import Apart
from tests.integration.people import ACCOUNT, APPID, Town

_SECRET = "an application's secret"


@pytest_asyncio.fixture(scope="package")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The running house apart, with demo people, a mail server and WeChat outside."""
    directory = tmp_path_factory.mktemp("apart")
    async with AsyncExitStack() as stack:
        servers = await start_servers(directory, kafka=True, postgres=True)
        stack.push_async_callback(servers.stop)
        mail = await stack.enter_async_context(smtp_sink())
        wechat = FakeWechat(apps={APPID: _SECRET})
        platform = await stack.enter_async_context(serving(make_app(wechat)))
        account = {"appid": APPID, "secret": _SECRET, "api_base": platform, **ACCOUNT}
        house = Apart(
            directory,
            servers,
            EXPRESS_SMTP=mail.url,
            EXPRESS_WECHAT=json.dumps([account]),
        )
        stack.push_async_callback(house.stop)
        done = await house.run("services", "setup", "--demo")
        assert done.returncode == 0, done.stdout + done.stderr
        house.start()
        await house.gateway.start()
        await house.ready()
        yield Town(house, mail, wechat)
