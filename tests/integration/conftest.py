"""One system apart for all tests of this folder: real servers, six processes, nginx."""

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
from tests.integration.people import ACCOUNT, APPID, Town
from tests.integration.system import Apart

_SECRET = "an application's secret"


@pytest_asyncio.fixture(scope="package")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The running system apart, with demo people, a mail server and WeChat outside."""
    directory = tmp_path_factory.mktemp("apart")
    async with AsyncExitStack() as stack:
        servers = await start_servers(directory, kafka=True, postgres=True)
        stack.push_async_callback(servers.stop)
        mail = await stack.enter_async_context(smtp_sink())
        wechat = FakeWechat(apps={APPID: _SECRET})
        platform = await stack.enter_async_context(serving(make_app(wechat)))
        account = {"appid": APPID, "secret": _SECRET, "api_base": platform, **ACCOUNT}
        system = Apart(
            directory,
            servers,
            EXPRESS_SMTP=mail.url,
            EXPRESS_WECHAT=json.dumps([account]),
        )
        stack.push_async_callback(system.stop)
        done = await system.run("services", "setup", "--demo")
        assert done.returncode == 0, done.stdout + done.stderr
        system.start()
        await system.gateway.start()
        await system.ready()
        yield Town(system, mail, wechat)
