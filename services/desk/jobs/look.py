"""One look at cases: whether each makes a surge, or belongs to one.

It compares, and brings numpy along for that, some 12 MB: a process in which nobody has said
anything does without.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from services.desk.domain.surges import (
    LEAST,
    LOOK_BACK,
    QUIET,
    SAY_IT,
    WINDOWS,
    Finding,
    Past,
    another_floor,
    another_thing,
    expected_in,
    judge,
    profile,
    sure,
    thing_of,
    with_alarm,
    without_alarmed,
)
from services.desk.jobs.alike import Alike, matter
from services.desk.jobs.surges import tell
from services.desk.store import surges
from services.desk.store.surges import Said, Surge
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL

log = structlog.get_logger()

Times = NDArray[np.float64]
"""Moments, in seconds since 1970: of a matter that is said a lot there are thousands."""
WEEKS = 8
"""So many make the profile of the week."""
_LATELY, _BEFORE = 400, 1200
"""Cases that are compared, the newest of the longest window and before it."""
_TOLD_BY = 100
"""Cases of a surge, its first, that say what it is about."""
_TODAY, _USUAL = 2, 10.0
"""In which window it is seen how much comes today; as if so many had come as usual besides."""
_DAY = 86_400.0


@dataclass(frozen=True)
class Several:
    """Cases of one matter, more than is usual."""

    finding: Finding
    cases: list[str]
    things: frozenset[str]
    """What several of them name, or the place."""
    keys: Sequence[str]
    """Under which an incident may have them already."""


def _things_of(cases: Sequence[Said]) -> Counter[str]:
    return Counter(thing for one in cases for thing in matter(one).things)


def _name_of(cases: Sequence[Said]) -> str:
    """The thing that several of them name, or the first of them."""
    for thing, n in _things_of(cases).most_common(1):
        if n >= SAY_IT:
            return thing
    return f"like={min((one.feedback_id for one in cases), default='')}"


def _past_of(
    times: Times,
    year: Times,
    known: Sequence[tuple[float, datetime, int]],
    window: timedelta,
    at: datetime,
) -> list[Past]:
    """What the domain asks of the past of one matter."""
    found, now = [], at.timestamp()
    for n, (days, since, total) in enumerate(known):
        own = times if n < len(LOOK_BACK) else year
        own = own[own > since.timestamp()]
        same = np.count_nonzero((now - own) % _DAY < window.total_seconds())
        found.append(Past(days, total, len(own), int(same)))
    return found


def _several(finding: Finding, cases: Sequence[Said]) -> Several:
    things = frozenset(t for t, n in _things_of(cases).items() if n >= SAY_IT)
    ids = sorted(one.feedback_id for one in cases)
    return Several(finding, ids, things | {thing_of(finding.key)}, sorted(things))


@dataclass
class Look:
    """One look at some cases: what is the same for all of them is asked once."""

    tx: Transaction
    known: list[Surge]
    """Surges that wait for somebody, or were found or judged lately."""
    _grown: dict[str, Surge] = field(default_factory=dict)
    _keys: dict[str, Sequence[str]] = field(default_factory=dict)
    _week: tuple[float, ...] | None = None
    _alike: dict[datetime, tuple[Alike, datetime, int]] = field(default_factory=dict)
    _totals: dict[datetime, list[tuple[float, datetime, int]]] = field(default_factory=dict)

    async def at_case(self, row: Any) -> None:
        """Whether this case makes a surge, or belongs to one."""
        at, keys = row["at"], list(row["keys"])
        if row["elsewhere"]:
            return
        self._keys[row["feedback_id"]] = with_alarm(keys, row["alarm"])
        for one in self.known:
            waits = one.status == "suggested" and at - one.last_at < QUIET
            named = waits and one.key in keys and not one.key.startswith("place=")
            if named and await self._may_join(one, [row["feedback_id"]]):
                self._grow(one, [row["feedback_id"]], at)
                return
        several = await self._by_keys(row, at) or await self._by_likeness(row)
        if several is None:
            return
        if (covering := self._covering(several)) is not None:
            if covering.status == "suggested":
                self._grow(covering, await self._may_join(covering, several.cases), at)
        elif await self._is_new(several, at):
            await self._open(several, at)

    async def _by_keys(self, row: Any, at: datetime) -> Several | None:
        """The least probable of what its keys say; of a place alone only where no thing says it."""
        keys, alarmed = list(row["keys"]), row["alarm"] is not None
        lately = await surges.lately(self.tx, keys, at, LEAST) if keys else {}
        found = []
        for key, seen in sorted(lately.items()):
            times, year = map(np.array, await surges.times_of(self.tx, key, at))
            known = await self._known(at)
            for window in WINDOWS:
                past = _past_of(times, year, known, window, at)
                its = [one.alarm for one in seen if one.at > at - window]
                counted = without_alarmed(its)
                if alarmed and not all(counted):
                    continue
                n = sum(counted)
                found.append(await self._judge(key, window, n, at, past))
        best = min(
            (f for f in found if f is not None),
            key=lambda f: (f.key.startswith("place="), f.chance),
            default=None,
        )
        if best is None:
            return None
        cases = await surges.of_key(self.tx, best.key, at - best.window, at)
        return Several(best, cases, frozenset({thing_of(best.key)}), (best.key,))

    async def _by_likeness(self, row: Any) -> Several | None:
        """The same by meaning, or by the words where there is no vector, whatever is named."""
        case, at = row["feedback_id"], row["at"]
        alike, since, total = await self._compared(at)
        if not alike.is_meant(case):
            return await self._by_words(alike, row, since, total)
        today = await self._today(at)
        expected = {window: today * await self._expected(window, at) for window in WINDOWS}
        for one in self.known:
            if alike.belongs(case, one.cases, expected) and await self._may_join(one, [case]):
                if one.status == "suggested":
                    self._grow(one, [case], at)
                return None
        # What other surges have is theirs: else the first of a day takes in all that comes after.
        taken = {its for one in self.known for its in one.cases} - {case}
        known = max((days for days, *_ in await self._known(at)), default=0.0)
        found = []
        for window in WINDOWS:
            told = alike.told(case, window, expected[window], without=taken)
            if told and (more := told.weight - sure(window, known)) >= 0:
                found.append((more, window, told))
        if not found:
            return None
        _, window, told = max(found, key=lambda one: one[0])
        usual, chance = round(told.usual, 2), math.exp(-told.weight)
        finding = Finding(_name_of(told.cases), window, len(told.cases), usual, chance)
        return _several(finding, told.cases)

    async def _by_words(
        self, alike: Alike, row: Any, since: datetime, total: int
    ) -> Several | None:
        """The middle is whichever of those like this case has most like itself: what is usual is
        counted around the same."""
        case, at = row["feedback_id"], row["at"]
        nearest = {one.feedback_id for one in alike.same_words(case, WINDOWS[-1])[0]}
        for one in self.known:
            told = len(nearest & set(one.cases))
            if told and told >= len(nearest) / 2 and await self._may_join(one, [case]):
                if one.status == "suggested":
                    self._grow(one, [case], at)
                return None
        taken = {its for one in self.known for its in one.cases} - {case}
        known = []
        for days, begun, came in (await self._known(at))[:2]:
            # Of more than are compared, no more is known.
            days_compared = (at - WINDOWS[-1] - since) / timedelta(days=1)
            known.append((days, begun, came) if begun >= since else (days_compared, since, total))
        found = []
        for window in WINDOWS:
            like, times = alike.same_words(case, window, without=taken)
            past = _past_of(times, times[:0], known, window, at)
            if finding := await self._judge(_name_of(like), window, len(like), at, past):
                found.append((finding, like))
        if not found:
            return None
        return _several(*min(found, key=lambda one: one[0].chance))

    async def _compared(self, at: datetime) -> tuple[Alike, datetime, int]:
        """What cases of this hour are compared with: since when, and how many before the window."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour not in self._alike:
            since, middle = (await self._known(at))[0][1], hour - WINDOWS[-1]
            lately = await surges.said(self.tx, middle, hour + timedelta(hours=1), _LATELY)
            before = await surges.said(self.tx, since, middle, _BEFORE)
            if len(before) == _BEFORE:
                since = before[-1].at
            self._alike[hour] = Alike([*lately, *before]), since, len(before)
        return self._alike[hour]

    async def _judge(
        self, key: str, window: timedelta, n: int, at: datetime, past: list[Past]
    ) -> Finding | None:
        if n < LEAST:
            return None
        others = await surges.came(self.tx, at - window, at) - n
        return judge(key, window, n, max(await self._expected(window, at), others), past)

    async def _expected(self, window: timedelta, at: datetime) -> float:
        """How many cases of anything a window brings at this time of the week."""
        if self._week is None:
            slots, weeks = await surges.by_hour(
                self.tx, self.tx.now - WINDOWS[-1], WEEKS, LOCAL.key
            )
            self._week = profile(slots, weeks)
        return expected_in(self._week, at - window, at)

    async def _today(self, at: datetime) -> float:
        """How much more comes today than at this time of the week: where everything is more, more
        is a little alike. What surges have is not counted, nor is it ever less."""
        window = WINDOWS[_TODAY]
        told = {case for one in self.known if one.last_at > at - window for case in one.cases}
        came = await surges.came(self.tx, at - window, at) - len(told)
        return max(1.0, (_USUAL + came) / (_USUAL + await self._expected(window, at)))

    async def _known(self, at: datetime) -> list[tuple[float, datetime, int]]:
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour not in self._totals:
            self._totals[hour] = await surges.totals(self.tx, at)
        return self._totals[hour]

    async def _is_new(self, several: Several, at: datetime) -> bool:
        """Whether no incident has it, and several people say it: who writes all evening is one."""
        for key in several.keys:
            if await surges.has_incident(self.tx, key, at - QUIET):
                return False
        return await surges.people(self.tx, several.cases) >= LEAST

    def _covering(self, several: Several) -> Surge | None:
        """A surge that says the same already, or said it and was judged: of the same thing, or with
        most of the same cases. With some of them it may be another, near in meaning."""
        for one in self.known:
            known = len(set(one.cases) & set(several.cases))
            if thing_of(one.key) in several.things or known > len(several.cases) / 2:
                return one
        return None

    async def _may_join(self, one: Surge, cases: Sequence[str]) -> list[str]:
        """Those of these cases that name no other thing than a surge is about, nor another floor,
        unless so many do that it is no longer of one floor; and those that it has. A surge of a
        place alone is like everything: only who is there joins it."""
        its = one.cases[:_TOLD_BY]
        if missing := [case for case in (*its, *cases) if case not in self._keys]:
            self._keys |= dict.fromkeys(missing, ())
            self._keys |= await surges.keys_of(self.tx, missing)
        others, has = [self._keys[case] for case in its], set(one.cases)
        new = [case for case in cases if case not in has]
        if one.key.startswith("place="):
            new = [case for case in new if one.key in self._keys[case]]
        same = [case for case in new if not another_thing(self._keys[case], others)]
        here = [case for case in same if not another_floor(self._keys[case], others)]
        fit = same if len(same) - len(here) >= LEAST else here
        return [*(case for case in cases if case in has), *fit]

    def _grow(self, one: Surge, cases: list[str], at: datetime) -> None:
        new = [case for case in cases if case not in one.cases]
        one.cases = [*one.cases, *new][: surges.MOST_CASES]
        one.last_at = max(one.last_at, at)
        self._grown[one.surge_id] = one

    async def keep_grown(self) -> None:
        """Tell what has grown, once for all cases of the look; not what was judged meanwhile.

        The board and the list of cases say what was told, the page of surges what is kept: told
        whenever it has more cases, until it has as many as are kept.
        """
        for one in self._grown.values():
            now = await surges.surge(self.tx, one.surge_id, lock=True)
            if now is None or now.status != one.status:
                continue
            if len(one.cases) != one.listed:
                await tell(self.tx, one)
            else:
                await surges.keep(self.tx, one)

    async def _open(self, several: Several, at: datetime) -> None:
        found = several.finding
        one = Surge(
            surge_id=new_id(),
            key=found.key,
            found_at=self.tx.now,
            last_at=at,
            minutes=int(found.window / timedelta(minutes=1)),
            n=found.n,
            usual=found.usual,
            cases=several.cases,
        )
        self.known.insert(0, one)
        await tell(self.tx, one)
        log.info("more than usual", surge=one.surge_id, n=one.n, minutes=one.minutes)
