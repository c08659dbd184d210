"""What is told in any words and languages is one matter by its meaning."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.desk.domain.similar import likeness
from services.desk.domain.surges import SURE, WINDOWS
from services.desk.jobs.alike import ENOUGH, Alike
from services.desk.store.surges import Said

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIZE = 64


class Letters:
    """Letters whose vectors lie near that of their language, and a little near their matter."""

    def __init__(self, *, own: float = 0.7) -> None:
        self._own = own
        self._noise = np.random.default_rng(5)
        self._languages = 8 * self._noise.normal(size=(2, SIZE))
        self._n = 0

    def matter(self) -> Any:
        return self._noise.normal(size=SIZE)

    def one(
        self,
        text: str,
        ago: timedelta,
        matter: Any,
        *,
        vector: bool = True,
        place: str | None = None,
    ) -> Said:
        self._n += 1
        foreign = text.isascii()
        made = self._languages[int(foreign)] + matter + self._own * self._noise.normal(size=SIZE)
        made /= np.linalg.norm(made)
        said = [float(x) for x in made] if vector else []
        return Said(f"{self._n:04}", NOW - ago, text[:20], text, said, place)

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
    later = letters.one("又是鹅", timedelta(minutes=-9), goose)
    alike = Alike([*others, *told, *letters.before(12 * ENOUGH), later])
    found = alike.told(told[-1].feedback_id, DAY, 5.0)
    assert found is not None and set(_ids(told)) <= set(_ids(found.cases))
    assert len(found.cases) <= len(told) + 1
    assert found.weight > SURE[DAY]
    assert alike.told(others[0].feedback_id, DAY, 5.0) is None
    # The same is more surprising where less is expected, and those of another surge are its own.
    soon = alike.told(told[-1].feedback_id, WINDOWS[0], 1.0)
    assert soon is not None and soon.weight > found.weight
    taken = [one.feedback_id for one in told[:3]]
    left = alike.told(told[-1].feedback_id, DAY, 5.0, without=taken)
    assert left is None or left.weight < SURE[DAY]


def test_what_was_always_said_is_no_surge() -> None:
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    always = [letters.one(GEESE[n % 5], timedelta(days=2 + n % 20), goose) for n in range(40)]
    before = letters.before(12 * ENOUGH)
    seldom = Alike([*told, *before]).told(told[-1].feedback_id, DAY, 5.0)
    often = Alike([*told, *before, *always]).told(told[-1].feedback_id, DAY, 5.0)
    assert seldom is not None and seldom.weight > SURE[DAY]
    assert often is None or often.weight < SURE[DAY]


def test_who_is_a_little_near_to_each_of_the_others_is_near_to_their_middle() -> None:
    """One by one none of them is nearer than chance brings."""
    letters = Letters(own=1.6)
    goose = letters.matter()
    said = [f"{t} {n}" for n in range(2) for t in GEESE]
    told = [letters.one(t, timedelta(minutes=25 - n), goose) for n, t in enumerate(said)]
    found = Alike([*told, *letters.before(12 * ENOUGH)]).told(told[-1].feedback_id, DAY, 5.0)
    assert found is not None and found.weight > SURE[DAY]
    assert len(found.cases) >= 8


def test_of_one_place_and_one_thing_is_more_likely_one_matter() -> None:
    weights = []
    for text, place in (("鹅", None), ("鹅", "东门"), ("空调和鹅", None)):
        letters = Letters(own=4.0)
        goose = letters.matter()
        told = [
            letters.one(f"又是那只{text}{n}", timedelta(minutes=9 - n), goose, place=place)
            for n in range(5)
        ]
        found = Alike([*told, *letters.before(12 * ENOUGH)]).told(told[-1].feedback_id, DAY, 5.0)
        weights.append(found.weight if found else 0.0)
    assert weights[0] < min(weights[1:])


def test_a_case_belongs_to_what_it_is_nearer_to_than_most_that_came() -> None:
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    again = letters.one("那只鹅还在门口", timedelta(0), goose)
    other = letters.one("别的事情", timedelta(0), letters.matter())
    alike = Alike([*told, again, other, *letters.before(12 * ENOUGH)])
    ids = _ids(told)
    expected = {WINDOWS[0]: 2.0, DAY: 60.0}
    assert alike.belongs(again.feedback_id, ids, expected)
    assert not alike.belongs(other.feedback_id, ids, expected)
    assert not alike.belongs(again.feedback_id, ["who knows"], expected)


def test_in_a_quiet_hour_not_whatever_comes_belongs_to_what_was_told() -> None:
    """Where next to nothing is expected, the odds speak for anything."""
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    again = letters.one("它又来了，别过去", timedelta(0), goose)
    others = [letters.one(f"这又是另外的{n}", timedelta(0), letters.matter()) for n in range(60)]
    named = [
        letters.one(f"统一认证登录报错 {n}", timedelta(0), letters.matter()) for n in range(60)
    ]
    greeting = letters.one("今天有点事想反映", timedelta(0), goose)
    alike = Alike([*told, again, *others, *named, greeting, *letters.before(12 * ENOUGH)])

    def taken(cases: list[Said]) -> int:
        return sum(alike.belongs(one.feedback_id, _ids(told), {WINDOWS[0]: 0.1}) for one in cases)

    assert taken([again]) == 1
    # The nearest tenth of all there is, of those who name something else half as many.
    assert taken(others) <= 10
    assert taken(named) <= 6
    assert not alike.is_meant(greeting.feedback_id)


def test_what_has_too_few_words_to_say_anything_is_like_none_but_the_same() -> None:
    letters = Letters()
    goose = letters.matter()
    told = [letters.one(t, timedelta(minutes=9 - n), goose) for n, t in enumerate(GEESE)]
    empty = [
        letters.one(t, timedelta(minutes=8), goose) for t in ("甲", "一", "嗯。", "test 1", "?")
    ]
    again = letters.one("甲", timedelta(minutes=6), goose)
    hot = letters.one("热死", timedelta(minutes=8), goose)
    alike = Alike([*told, *empty, again, hot, *letters.before(12 * ENOUGH)])
    found = alike.told(told[-1].feedback_id, DAY, 5.0)
    assert found is not None and set(_ids(found.cases)) == set(_ids([*told, hot]))
    assert not alike.is_meant(again.feedback_id)
    assert _ids(alike.same_words(again.feedback_id, DAY)[0]) == _ids([empty[0], again])


def _ids(cases: list[Said]) -> list[str]:
    return [one.feedback_id for one in cases]


def test_another_floor_is_another_matter() -> None:
    letters = Letters()
    hum = letters.matter()
    up = [letters.one(f"五楼一直嗡嗡响{n}", timedelta(minutes=9 - n), hum) for n in range(5)]
    down = letters.one("二楼一直嗡嗡响", timedelta(minutes=2), hum)
    found = Alike([down, *up, *letters.before(12 * ENOUGH)]).told(up[-1].feedback_id, DAY, 5.0)
    assert found is not None and found.cases == up


def test_before_there_is_a_mean_and_without_vectors_words_count() -> None:
    letters = Letters()
    goose = letters.matter()
    said = "西门外面那只大白鹅又追着人咬，谁来管一管"
    one = letters.one(said, timedelta(minutes=1), goose)
    again = letters.one(said, timedelta(minutes=2), goose, vector=False)
    other = letters.one("那边的鹅", timedelta(minutes=3), goose)
    alike = Alike([other, again, one])
    assert not alike.is_meant(one.feedback_id)
    like, _ = alike.same_words(one.feedback_id, DAY)
    assert like == [again, one]
    nobody, never = Alike([]).same_words(one.feedback_id, DAY)
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
        like, _ = alike.same_words(one.feedback_id, DAY)
        assert len(like) > 90
    assert len(compared) <= 3


def _read(*path: str) -> list[dict[str, Any]]:
    where = Path(__file__).parents[1].joinpath(*path)
    return [json.loads(one) for one in where.read_text("utf-8").splitlines()]


def _vector(packed: str) -> list[float]:
    found = np.frombuffer(base64.b64decode(packed), dtype=np.int8).astype(np.float32)
    return [float(x) for x in found / np.linalg.norm(found)]


def _an_evening() -> list[Said]:
    """What one person wrote in half an hour to try a desk: hardly two letters on one thing."""
    return [
        Said(
            f"evening-{n:02}",
            NOW + timedelta(minutes=one["minute"]),
            "",
            one["text"],
            _vector(one["vector"]),
            alarm=one.get("alarm"),
            elsewhere=one.get("elsewhere", False),
        )
        for n, one in enumerate(_read("desk", "evening.jsonl"))
    ]


def _weeks(*hands: str, most: int) -> list[Said]:
    """What another hand wrote, in the four weeks before."""
    both = [
        (letter["text"], _vector(packed["vector"]))
        for hand in hands
        for letter, packed in zip(
            _read("routing", f"{hand}.jsonl"),
            _read("routing", f"{hand}_vectors.jsonl"),
            strict=True,
        )
    ][:most]
    return [
        Said(f"before-{n}", NOW - timedelta(days=2) - n * timedelta(days=26) / most, "", *both[n])
        for n in range(len(both))
    ]


@pytest.mark.parametrize("most", [120, 540])
def test_an_evening_of_different_matters_is_no_surge(most: int) -> None:
    """On a desk that knows little, and on one that knows more; in a quiet hour."""
    evening = _an_evening()
    alike = Alike([*evening, *_weeks("third_hand", "fourth_hand", most=most)])
    for one in evening:
        for window, expected in zip(WINDOWS, (0.1, 0.4, 2.0, 6.0), strict=True):
            told = alike.told(one.feedback_id, window, expected)
            if told is not None and told.weight >= SURE[window]:
                # Six letters are about the hot water of two floors, told in other words.
                assert all("水" in its.text for its in told.cases), [c.text for c in told.cases]
