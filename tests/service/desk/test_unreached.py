"""A word to the reporter that did not arrive, or of which nobody knows, is seen at the desk."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.notification import NotificationFailed
from tests.service.desk.conftest import Desk


def failed(desk: Desk, feedback_id: str, **more: Any) -> NotificationFailed:
    values: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": desk.clock.now(),
        "delivery_id": "d1",
        "kind": "reply",
        "channel": "email",
        "audience": "reporter",
        "reason": "smtp_550",
    }
    return NotificationFailed(**(values | more))


@pytest.mark.parametrize(
    ("uncertain", "zh", "en"),
    [
        (False, "答复没有送达用户", "Could not deliver the reply to the reporter"),
        (
            True,
            "不知道答复有没有送达用户",
            "It is not known whether the reply reached the reporter",
        ),
    ],
)
async def test_the_timeline_says_no_more_than_is_known(
    desk: Desk, uncertain: bool, zh: str, en: str
) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id, uncertain=uncertain))
    for language, said in (("zh", zh), ("en", en)):
        answer = await desk.as_("coordinator").get(
            f"/api/cases/{feedback_id}", headers={"accept-language": language}
        )
        assert [line["text"] for line in answer.json()["timeline"]][-1] == said
