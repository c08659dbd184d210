"""How long something is, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.sla.wording.promises import Speaker


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (37.5, "5 个工作日", "5 working days"),
        (18.75, "2.5 个工作日", "2.5 working days"),
        (7.5, "1 个工作日", "1 working day"),
        (4, "4 小时", "4 hours"),
        (16, "16 小时", "16 hours"),
    ],
)
def test_what_the_policy_says_in_working_days_is_said_so_also_of_half_the_time(
    hours: float, zh: str, en: str
) -> None:
    amount = timedelta(hours=hours)
    for locale, said in (("zh", zh), ("en", en)):
        assert Speaker(locale, str, str).length(amount) == said
    assert "工作日" not in Speaker("zh", str, str).length(amount, working=False)
