"""What names nothing known is one matter by its meaning, in any words and language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from services.desk.jobs.alike import ENOUGH, Alike

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
SIZE = 64


class Letters:
    """Letters whose vectors lie near that of their language, and a little near their matter."""

    def __init__(self) -> None:
        self._noise = np.random.default_rng(5)
        self._languages = 8 * self._noise.normal(size=(2, SIZE))
        self._n = 0

    def matter(self) -> Any:
        return self._noise.normal(size=SIZE)

    def one(self, text: str, ago: timedelta, matter: Any, *, vector: bool = True) -> dict[str, Any]:
        self._n += 1
        foreign = text.isascii()
        made = self._languages[int(foreign)] + matter + 0.7 * self._noise.normal(size=SIZE)
        made /= np.linalg.norm(made)
        return {
            "feedback_id": f"{self._n:04}",
            "at": NOW - ago,
            "title": text[:20],
            "text": text,
            "vector": [float(x) for x in made] if vector else None,
        }

    def before(self, n: int) -> list[dict[str, Any]]:
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
    others = [letters.one("别的事", timedelta(hours=2), letters.matter()) for _ in range(8)]
    before = letters.before(3 * ENOUGH)
    long_ago = letters.one("鹅", timedelta(days=9), goose)
    alike = Alike([*others, *told], [*before, long_ago])
    like, times = alike.around(told[-1])
    assert [one["feedback_id"] for one in like] == [one["feedback_id"] for one in told]
    assert times == [long_ago["at"]]
    assert len(alike.around(others[0])[0]) == 1


def test_another_floor_is_another_matter() -> None:
    letters = Letters()
    hum = letters.matter()
    up = letters.one("五楼一直嗡嗡响", timedelta(minutes=1), hum)
    down = letters.one("二楼一直嗡嗡响", timedelta(minutes=2), hum)
    like, _ = Alike([down, up], letters.before(3 * ENOUGH)).around(up)
    assert like == [up]


def test_before_there_is_a_mean_and_without_vectors_words_count() -> None:
    letters = Letters()
    goose = letters.matter()
    said = "西门外面那只大白鹅又追着人咬，谁来管一管"
    one = letters.one(said, timedelta(minutes=1), goose)
    again = letters.one(said, timedelta(minutes=2), goose, vector=False)
    other = letters.one("那边的鹅", timedelta(minutes=3), goose)
    like, _ = Alike([other, again, one], []).around(one)
    assert like == [again, one]
    assert Alike([], []).around(one) == ([], [])
