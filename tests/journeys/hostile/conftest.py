"""What strangers will send, through every entry point of the running system.

Each input is inert text or a short no. Afterwards nobody else's case has changed, and nothing that
went in became poison further on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.conftest import Town
from tests.journeys.hostile.entry_points import EntryPoints


@pytest.fixture
def entry_points(town: Town) -> EntryPoints:
    return EntryPoints(town)


@pytest_asyncio.fixture(scope="module", autouse=True)
async def _nobody_else_is_touched(town: Town) -> AsyncIterator[None]:
    """A case that stands by while all this comes in, and a system that is sound afterwards."""
    victim = await town.submit("二层还书机吞书，屏幕是黑的。", title="还书机")
    await town.sees(victim["tracking_code"], "DISPATCHED")
    await town.quiet()
    before = await _as_seen(town, victim)
    yield
    await town.sound()
    assert await _as_seen(town, victim) == before


async def _as_seen(town: Town, receipt: dict[str, str]) -> list[dict[str, Any]]:
    """A case as staff and its reporter see it; messages may still go out about it."""
    async with await town.as_("coordinator") as staff:
        case = (await staff.get(f"/api/cases/{receipt['feedback_id']}")).json()
    seen = [case, await town.track(receipt["tracking_code"])]
    for one in seen:
        one["timeline"] = [
            line for line in one["timeline"] if not line["type"].startswith("notification.")
        ]
    return seen
