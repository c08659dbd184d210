"""What is told in any words and languages is one matter by its meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.desk.domain.similar import likeness
from services.desk.domain.surges import WINDOWS
from services.desk.jobs.alike import ENOUGH, NEAR, Alike
from services.desk.store.surges import Said

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIZE = 64


class Letters:
    """Letters whose vectors lie near that of their language, and a little near their matter."""

    def __init__(self) -> None:
        self._noise = np.random.default_rng(5)
        self._languages = 8 * self._noise.normal(size=(2, SIZE))
        self._n = 0

    def matter(self) -> Any:
        return self._noise.normal(size=SIZE)

    def one(self, text: str, ago: timedelta, matter: Any, *, vector: bool = True) -> Said:
        self._n += 1
        foreign = text.isascii()
        made = self._languages[int(foreign)] + matter + 0.7 * self._noise.normal(size=SIZE)
        made /= np.linalg.norm(made)
        said = [float(x) for x in made] if vector else []
        return Said(f"{self._n:04}", NOW - ago, text[:20], text, said)

    def before(self, n: int) -> list[Said]:
        days = [timedelta(days=2 + k % 20) for k in range(n)]
        return [
            self.one(f"什么也没说 {k}" if k % 2 else f"nothing {k}", ago, self.matter())
            for k, ago in enumerate(days)
        ]


GEESE = (
    "大白鹅又追着人跑",
    "那只鹅啄了我一口",
    "a goose attacked me",
    "门口的鹅很凶",
    "请把鹅弄走",
)


def test_one_matter_in_many_words_and_two_languages_is_found() -> None:
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    others = [letters.one("别的事情", timedelta(hours=2), letters.matter()) for _ in range(8)]
    before = letters.before(3 * ENOUGH)
    long_ago = letters.one("又是那只鹅", timedelta(days=9), goose)
    later = letters.one("又是鹅", timedelta(minutes=-9), goose)
    alike = Alike([*others, *told, *before, long_ago, later])
    like, times = alike.around(told[-1].feedback_id, DAY)
    assert like == told
    assert times.tolist() == [long_ago.at.timestamp()]
    assert len(alike.around(others[0].feedback_id, DAY)[0]) == 1
    # Those of another surge are not among them.
    taken = [one.feedback_id for one in told[:3]]
    assert alike.around(told[-1].feedback_id, DAY, without=taken)[0] == told[3:]


def test_who_names_the_thing_and_who_does_not_tell_one_matter() -> None:
    letters = Letters()
    heat = letters.matter()
    told = [
        letters.one(said, timedelta(minutes=9 - n), heat)
        for n, said in enumerate(("热得像蒸笼", "空调坏了", "汗滴到书上", "闷得透不过气"))
    ]
    other = letters.one("打印机卡纸", timedelta(minutes=10), heat)
    alike = Alike([*told, other, *letters.before(3 * ENOUGH)])
    assert len(alike.around(told[-1].feedback_id, DAY)[0]) >= len(told)
    # Who names one thing is not like who names another.
    assert other not in alike.around(told[1].feedback_id, timedelta(minutes=3))[0]
    assert [one.text for one in alike.around(told[1].feedback_id, timedelta(minutes=3))[0]] == [
        "热得像蒸笼",
        "空调坏了",
    ]


def test_in_a_short_while_those_who_tell_one_fault_may_be_less_near() -> None:
    assert [near for near, windows in NEAR.items() if WINDOWS[-1] in windows] == [0.3, 0.2, 0.15]
    assert all(WINDOWS[0] in windows for windows in NEAR.values())
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    # This morning somebody wrote who has more like them than any of these has.
    early = [letters.one(t, timedelta(hours=5), goose) for t in GEESE]
    long_ago = letters.one("又是那只鹅", timedelta(days=9), goose)
    alike = Alike([*early, *told, *letters.before(3 * ENOUGH), long_ago])
    like, times = alike.around(told[-1].feedback_id, WINDOWS[0])
    assert like == told
    # What is usual is that of the days before, however short the window.
    assert times.tolist() == [long_ago.at.timestamp()]


def test_what_has_too_few_words_to_say_anything_is_like_none_but_the_same() -> None:
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    empty = [
        letters.one(t, timedelta(minutes=8), goose) for t in ("甲", "一", "嗯。", "test 1", "?")
    ]
    again = letters.one("甲", timedelta(minutes=6), goose)
    hot = letters.one("热死", timedelta(minutes=8), goose)
    alike = Alike([*told, *empty, again, hot, *letters.before(3 * ENOUGH)])
    assert set(_ids(alike.around(told[-1].feedback_id, DAY)[0])) == set(_ids([*told, hot]))
    assert _ids(alike.around(again.feedback_id, DAY)[0]) == _ids([empty[0], again])


def _ids(cases: list[Said]) -> list[str]:
    return [one.feedback_id for one in cases]


def test_another_floor_is_another_matter() -> None:
    letters = Letters()
    hum = letters.matter()
    up = letters.one("五楼一直嗡嗡响", timedelta(minutes=1), hum)
    down = letters.one("二楼一直嗡嗡响", timedelta(minutes=2), hum)
    like, _ = Alike([down, up, *letters.before(3 * ENOUGH)]).around(up.feedback_id, DAY)
    assert like == [up]


def test_before_there_is_a_mean_and_without_vectors_words_count() -> None:
    letters = Letters()
    goose = letters.matter()
    said = "西门外面那只大白鹅又追着人咬，谁来管一管"
    one = letters.one(said, timedelta(minutes=1), goose)
    again = letters.one(said, timedelta(minutes=2), goose, vector=False)
    other = letters.one("那边的鹅", timedelta(minutes=3), goose)
    like, _ = Alike([other, again, one]).around(one.feedback_id, DAY)
    assert like == [again, one]
    nobody, never = Alike([]).around(one.feedback_id, DAY)
    assert (nobody, len(never)) == ([], 0)


def test_what_is_said_again_and_again_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def counted(*texts: frozenset[str], **how: Any) -> float:
        compared.append(texts)
        return likeness(*texts, **how)

    monkeypatch.setattr("services.desk.jobs.alike.likeness", counted)
    letters = Letters()
    said = ("大白鹅又追着人咬", "大白鹅又追着人跑", "图书馆的灯坏了一排")
    flood = [
        letters.one(said[n % 3], timedelta(minutes=n), letters.matter(), vector=False)
        for n in range(300)
    ]
    alike = Alike(flood)
    for one in flood[:20]:
        like, _ = alike.around(one.feedback_id, DAY)
        assert len(like) > 90
    assert len(compared) <= 3
