"""Every surge of an invented term is found at once, and hardly anything else is taken for one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.desk.domain import surges
from services.desk.domain.matters import matter_of
from services.desk.domain.surges import (
    Past,
    Usual,
    another_floor,
    another_thing,
    chance_of,
    judge,
    keys_of,
    named_by,
    names_it,
    of_one_thing,
    thing_of,
    with_alarm,
    without_alarmed,
)
from tests.unit.desk.campus import months
from tests.unit.desk.terms import Library, Term, term

SOON = timedelta(minutes=10)
MONTH = timedelta(days=30)
KNOWN_AFTER = timedelta(days=14)


def watched(told: Term) -> tuple[dict[int, datetime], list[tuple[datetime, surges.Finding]]]:
    """When each planted surge was found, and what was found besides: of a matter once a day."""
    library = Library(told.first)
    found: dict[int, datetime] = {}
    false: list[tuple[datetime, surges.Finding]] = []
    quiet: dict[str, datetime] = {}
    planted: dict[str, datetime] = {}
    for one in told.cases:
        library.take(one)
        if one.planted is not None:
            planted |= dict.fromkeys(one.keys, one.at)
        if one.at < told.first + KNOWN_AFTER:
            continue
        for finding in library.found(one):
            thing = thing_of(finding.key)
            is_new = one.at > quiet.get(thing, told.first)
            quiet[thing] = one.at + surges.QUIET
            if one.planted is not None:
                found.setdefault(one.planted, one.at)
            elif is_new and one.at - planted.get(finding.key, told.first) > surges.QUIET:
                false.append((one.at, finding))
    return found, false


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_surge_is_found_soon_and_hardly_anything_else(seed: int) -> None:
    """Ten weeks of it; of six whole terms see the benchmarks."""
    told = term(seed, days=70)
    found, false = watched(told)
    assert len(told.fifths) >= 12
    late = [n for n, fifth in told.fifths.items() if found.get(n, fifth + MONTH) > fifth + SOON]
    assert late == []
    months = (told.cases[-1].at - told.first - KNOWN_AFTER) / MONTH
    assert len(false) <= months


def test_a_library_of_another_kind_is_understood_as_well() -> None:
    """Seven weeks after lessons, at weekends, in exams, with a mail to all and with somebody who
    writes four times in an evening; of 46 months see the benchmarks. What breaks is told at once,
    what is slow or is said a lot anyway perhaps a little later."""
    told = months(3, days=70)
    found, false = watched(told)
    assert len(told.fifths) >= 20
    assert told.fifths.keys() == found.keys()
    late = [n for n, fifth in told.fifths.items() if found[n] > fifth + SOON]
    assert not [n for n in late if n % 3 == 0]
    assert len(late) <= 2
    assert len(false) <= (told.cases[-1].at - told.first - KNOWN_AFTER) / MONTH


def test_a_matter_nobody_knows_is_no_surge_for_being_new() -> None:
    nothing = [Past(0.0, 0, 0, 0)] * 2
    day = surges.WINDOWS[-1]
    assert judge("seats", day, 8, 50.0, nothing) is None
    # Half of all that comes, though, is one.
    assert judge("lift", surges.WINDOWS[0], 12, 12.0, nothing) is not None


def test_a_busy_day_is_no_surge_of_anything() -> None:
    month = [Past(28.0, 1400, 84, 10), Past(7.0, 350, 21, 3)]
    window = surges.WINDOWS[-1]
    assert judge("seats", window, 22, 50.0, month) is not None
    assert judge("seats", window, 22, 250.0, month) is None


def test_what_was_usual_a_year_ago_is_usual() -> None:
    lately = [Past(28.0, 1400, 2, 0), Past(7.0, 350, 1, 0)]
    window = surges.WINDOWS[-1]
    assert judge("leaving", window, 9, 60.0, lately) is not None
    assert judge("leaving", window, 9, 60.0, [*lately, Past(14.0, 900, 80, 9)]) is None


def test_chances_are_those_of_an_uncertain_rate() -> None:
    sure = Usual(2.0, 1e7)
    assert chance_of(0, sure) == 1.0
    # Poisson: 1 - 3 / e².
    assert chance_of(2, sure) == pytest.approx(1 - 3 * 2.718281828459045**-2, rel=1e-4)
    assert chance_of(8, Usual(2.0, 2.0)) > chance_of(8, sure)
    assert judge("lift", surges.WINDOWS[0], 4, 0.001, [Past(28.0, 1400, 0, 0)]) is None


def test_a_case_is_counted_under_the_thing_and_where_it_is() -> None:
    keys = keys_of("三楼空调太冷了", "三楼东区")
    assert {"air", "air fault=cold", "air floor=3", "air place=三楼东区", "place=三楼东区"} == keys
    assert keys_of("2F printer is broken") >= {"printer", "printer floor=2"}
    assert keys_of("你好") == frozenset()
    assert {thing_of(key) for key in keys} == {"air", "place=三楼东区"}


@pytest.mark.parametrize(
    ("said", "thing", "floor"),
    [
        ("电梯坏了", False, False),
        ("又坏了，没人管", False, False),
        ("二楼又坏了", False, False),
        ("五楼的电梯坏了", False, True),
        ("打印机坏了", True, False),
        ("食堂的电梯坏了", True, False),
        ("桌子都在抖", False, False),
    ],
)
def test_a_case_that_names_another_thing_or_floor_is_of_another_matter(
    said: str, thing: bool, floor: bool
) -> None:
    told = ("二楼电梯坏了", "二楼的电梯停在那里", "里面关了人", "打印机旁边的电梯不动")
    lift = [keys_of(one) for one in told]
    assert another_thing(keys_of(said), lift) is thing
    assert another_floor(keys_of(said), lift) is floor
    # Told on several floors already, it is of none.
    assert not another_floor(keys_of(said), [*lift, keys_of("三楼的电梯也坏了")])


def test_what_surely_belongs_to_a_surge_names_what_several_of_it_name() -> None:
    told = [keys_of(one) for one in ("饮水机没水", "五楼饮水机坏了", "渴死了", "统一认证登录报错")]
    assert [names_it("water", one, told) for one in told] == [True, True, False, False]
    assert names_it("water", keys_of("The water dispenser is dead"), told)
    # Where no thing is named by several, nobody can say it.
    assert names_it("like=x", told[2], [told[2], told[3]])
    here = keys_of("渴死了", "五楼西区")
    assert names_it("place=五楼西区", here, [here])
    assert not names_it("place=五楼西区", told[0], [here])


def test_those_who_can_be_about_one_thing_name_what_most_name_or_nothing() -> None:
    def one(*said: str, alone: tuple[str, ...] = ()) -> list[int]:
        return of_one_thing([named_by(matter_of(text).things, None) for text in said], alone)

    assert one("打印机卡纸", "知网登不上", "投影仪坏了", "打印机又坏了", "没人管") == [0, 3, 4]
    # Of as many, what the first names; what only one names each, one of them is about at most.
    assert one("投影仪坏了", "打印机卡纸", "打印机又坏了", "投影仪没反应") == [0, 3]
    assert one("没人管", "打印机卡纸", "投影仪坏了", "又来了") == [0, 1, 3]
    # Much is said about a table that is not about it, but for three who name it.
    assert one("打印机卡纸", "打印机坏了", "桌子在抖") == [0, 1, 2]
    tables = ("桌子在抖", "桌子坏了", "桌子脏", "打印机旁边的桌子坏了", "打印机卡纸")
    assert one(*tables) == [0, 1, 2, 3]
    # One beside four who name it may name what is beside it, if nobody else does.
    gate = ("闸机坏了", "闸机进不去", "进不来", "都堵着", "保安一个一个放行", "知网登不上")
    assert one(*gate) == [0, 1, 2, 3]
    assert one(*gate, alone=("guard", "printer")) == [0, 1, 2, 3, 4]
    assert one(*gate, alone=("guard", *matter_of(gate[-1]).things)) == [0, 1, 2, 3, 4]
    assert of_one_thing([], ()) == []


def test_who_may_be_an_emergency_is_counted_where_half_of_them_may() -> None:
    assert without_alarmed(["collapsed", None, None]) == [False, True, True]
    assert without_alarmed(["fire", None, "fire", None]) == [True] * 4
    told = [with_alarm(keys_of("打印机卡纸"), None) for _ in range(4)]
    hurt = with_alarm(keys_of("有人在打印机旁边倒下去了"), "collapsed")
    assert another_thing(hurt, told) and not names_it("printer", hurt, told)
    assert named_by({"printer"}, "collapsed") == named_by((), "collapsed")
    smoke = [with_alarm(keys_of("打印机冒烟了"), "fire")] * 2
    assert not another_thing(smoke[0], [*told, *smoke])
    assert names_it("printer", smoke[0], [*told, *smoke])
