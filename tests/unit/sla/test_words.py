from datetime import UTC

import pytest

from services.sla.domain.words import say_deadline
from tests.unit.sla.support import at

NOW = at("2026-12-02 09:00")  # a Wednesday


@pytest.mark.parametrize(
    ("due", "zh", "en"),
    [
        ("2026-12-02 17:30", "今天 17:30 前", "by 17:30 today"),
        ("2026-12-02 08:30", "今天 08:30 前", "by 08:30 today"),
        ("2026-12-03 10:00", "明天 10:00 前", "by 10:00 tomorrow"),
        ("2026-12-04 12:00", "周五 12:00 前", "by Fri 12:00"),
        ("2026-12-08 17:00", "周二 17:00 前", "by Tue 17:00"),
        ("2026-12-09 17:00", "12月9日 周三 17:00 前", "by Wed 9 Dec 17:00"),
        ("2027-01-04 10:00", "2027年1月4日 周一 10:00 前", "by Mon 4 Jan 2027 10:00"),
        ("2026-12-01 17:30", "昨天 17:30 前", "by 17:30 yesterday"),
        ("2026-11-30 17:30", "11月30日 周一 17:30 前", "by Mon 30 Nov 17:30"),
    ],
)
def test_a_deadline_is_said_as_people_say_it(due: str, zh: str, en: str) -> None:
    assert say_deadline(at(due), NOW) == zh
    assert say_deadline(at(due), NOW, "en") == en


def test_today_is_today_in_shanghai_whatever_the_machine_thinks() -> None:
    due, now = at("2026-12-03 01:00").astimezone(UTC), at("2026-12-02 23:00").astimezone(UTC)
    assert say_deadline(due, now) == "明天 01:00 前"


def test_seconds_are_not_said() -> None:
    assert say_deadline(at("2026-12-02 17:29:59.999999"), NOW) == "今天 17:29 前"
