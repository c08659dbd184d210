"""The two months: who writes when, and the loop that lets the days pass."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import FastAPI

from services.demo import entrances, events, letters, planted
from services.demo.ahead import Ahead
from services.demo.asking import Asking
from services.demo.clock import DemoClock
from services.demo.days import Day, arrivals, days_of, end_of, looks, surge_day
from services.demo.doing import Town
from services.demo.followers import Followers, Positions, positions_of
from services.demo.letters import Letter, stock
from services.demo.lives import Life
from services.demo.pace import Pace
from services.demo.quiet import Quiet
from services.demo.schedule import Schedule
from services.desk.jobs import end_waiting, offer_again
from services.intake.store import issue_token
from services.sla.domain.calendars import LIBRARY
from services.sla.jobs import mark_due
from shared.messaging.relay import Relay
from shared.service import Runtime, Service

_PROGRAMS = ("email", "survey")
_FAULT_SHARE = 0.045
_EMERGENCY_SHARE = 0.005


@dataclass(frozen=True)
class Size:
    """How much of it is played."""

    days: int = 60
    cases: int = 1500
    seed: int = 1
    within: float = 150.0
    """Seconds the play may take: on a machine too slow for all the cases there are fewer."""


class Months:
    """Plays the months on a running system whose clock nobody else moves."""

    def __init__(
        self,
        app: FastAPI,
        size: Size,
        followers: Followers,
        *,
        tell: Callable[[Day, int, Town], None] = lambda day, of, town: None,
    ) -> None:
        runtime: Runtime = app.state.runtime
        assert isinstance(runtime.clock, DemoClock)
        self.size, self.clock = size, runtime.clock
        self.services: dict[str, Service] = app.state.services
        self._tell = tell
        self._rng = random.Random(size.seed)
        self._followers = followers
        self._quiet = Quiet(runtime.kafka, self.services.values(), self._positions)
        self._ahead = Ahead(runtime.embedder)
        calendars = self.services["sla"].deps.calendars
        self.days = days_of(calendars.definition, size.days)
        self.town = Town(
            Asking(app, runtime), Schedule(self.clock, self._rng), calendars.named(LIBRARY)
        )
        self._began = 0.0
        self._pace = Pace(within=size.within, cases=size.cases, days=len(self.days))
        self._kept = 1.0
        """The share of the comments to come that are written."""
        self._said: list[tuple[str, str, datetime]] = []

    async def play(self) -> Town:
        """From the first morning to the last afternoon."""
        await self._quiet.start()
        schedule = self.town.schedule
        self._began = time.monotonic()
        ahead = asyncio.create_task(self._ahead.run())
        try:
            await self._cast(await self._tokens())
            for day in self.days:
                if self._pace.is_over(time.monotonic() - self._began):
                    self.town.counts["days left out"] = len(self.days) - day.index
                    break
                self._tell(day, len(self.days), self.town)
                await self._pass(day)
                self._kept = self._pace.day_over(
                    time.monotonic() - self._began,
                    self.town.counts["submitted"],
                    self.town.counts["left out"],
                )
            await self._take_in()
        finally:
            ahead.cancel()
            for relay in self._relays():
                relay.release()
            await schedule.stop()
            await self._quiet.stop()
        return self.town

    # -- one day -----------------------------------------------------------------------------

    async def _pass(self, day: Day) -> None:
        end = end_of(self.days)
        moments = [at for at in looks(day, self._rng) if at < end]
        for moment in moments if day.date != end.date() else [*moments, end]:
            while (urgent := self.town.schedule.next_urgent(moment)) is not None:
                await self._look(urgent)
            await self._look(moment)
        await end_waiting(self.services["desk"])
        await offer_again(self.services["desk"])

    async def _look(self, at: datetime) -> None:
        begun = time.monotonic()
        await self.town.schedule.pass_until(max(at, self.clock.now()))
        await self._take_in()
        # Everything until now has been taken in: what came due is late for certain.
        await mark_due(self.services["sla"])
        self._pace.looked(time.monotonic() - begun)

    async def _take_in(self) -> None:
        """Let everybody hear what was done since the last time, and wait until they have.

        Meanwhile it is held back: it goes out together, and is taken in in a few large batches.
        """
        for relay in self._relays():
            relay.release()
        await self._followers.release(self.clock.now())
        await self._quiet.wait()
        await self._followers.hold()
        for relay in self._relays():
            relay.hold()

    async def _positions(self) -> Positions:
        return positions_of(self.services.values()) | await self._followers.positions()

    def _relays(self) -> list[Relay]:
        return [s.relay for s in self.services.values() if s.relay is not None]

    # -- everybody ---------------------------------------------------------------------------

    async def _tokens(self) -> dict[str, str]:
        """Programs that bring comments in need a token each."""
        made = {}
        intake = self.services["intake"]
        for name in _PROGRAMS:
            async with intake.transaction() as tx:
                issued, made[name] = await issue_token(tx, intake.runtime.signer, name)
            while issued.token_id not in intake.runtime.directory.tokens:
                await asyncio.sleep(0.02)
        return made

    async def _cast(self, tokens: dict[str, str]) -> None:
        size, begin, town = self.size, self.town.schedule.begin, self.town
        of_fault, of_alarm = int(size.cases * _FAULT_SHARE), int(size.cases * _EMERGENCY_SHARE)
        whole = size.days > 20
        proposals = stock()["proposals"] if whole else []
        splits = stock()["splits"] if whole else []
        single = size.cases - of_fault - of_alarm - len(proposals) - len(splits)
        number = 0
        for day, at in arrivals(self.days, single, self._rng):
            number += 1
            rng = random.Random(f"{size.seed} {number}")
            begin(self._write(number, day, at, rng, tokens))
        fault = events.Fault(town, surge_day(self.days), random.Random(f"{size.seed} fault"))
        begin(fault.run())
        for at in fault.arrivals(of_fault):
            number += 1
            begin(fault.report(min(at, self._last()), number, tokens))
        working = [day for day in self.days if day.working]
        for one in range(of_alarm):
            rng = random.Random(f"{size.seed} alarm {one}")
            at = rng.choice(working[:-1] or working).at(rng.randrange(9, 17), rng.randrange(60))
            begin(events.emergency(town, min(at, self._last()), one, rng))
        for one, text in enumerate(proposals):
            rng = random.Random(f"{size.seed} proposal {one}")
            day = working[(one + 1) * len(working) // (len(proposals) + 1)]
            begin(events.proposal(town, day.at(15, 10), text, rng))
        for one, both in enumerate(splits):
            day = working[(2 * one + 1) * len(working) // (2 * len(splits))]
            begin(planted.two_matters(town, day.at(10, 25), both, one))
        if any(day.exams for day in self.days):
            begin(planted.exam_weeks(town, self.days))
        # Four weeks lie before the day of its measure and after it: there is something to say.
        for planned in stock()["themes"] if whole else []:
            begin(planted.theme(town, working[len(working) // 2 :: 5], planned, self._of_topic))
        for day in working:
            begin(events.leader(town, day, random.Random(f"{size.seed} leader {day.date}")))

    def _last(self) -> datetime:
        return end_of(self.days) - timedelta(minutes=20)

    async def _write(
        self, number: int, day: Day, at: datetime, rng: random.Random, tokens: dict[str, str]
    ) -> None:
        """One comment, and its life."""
        letter = letters.write(rng, exams=day.exams, holiday=self._holiday_near(day))
        drawn = rng.random()
        self._ahead.expect(letter.text, lambda: drawn <= self._kept)
        await self.town.schedule.outside(at)
        self._ahead.said()
        if drawn > self._kept:
            self.town.counts["left out"] += 1
            return
        if rng.random() < 0.012:
            await self._spam(number, rng, tokens)
            return
        said = await entrances.submit(self.town.asking, letter, number, rng, tokens)
        self.town.counts["submitted"] += 1
        twin = self._twin(letter, rng)
        if said.feedback_id:
            self._said.append((letter.topic, said.feedback_id, self.clock.now()))
        await Life(self.town, said, letter, rng, twin).live()

    async def _spam(self, number: int, rng: random.Random, tokens: dict[str, str]) -> None:
        words = letters.letter(rng, "praise", rng.choice(stock()["general"]["spam"]))
        said = await entrances.submit(self.town.asking, words, number, rng, tokens)
        self.town.counts["submitted"] += 1
        later = self.town.hours.add_working(self.clock.now(), timedelta(hours=1))
        await self.town.schedule.until(later, heard=True)
        said = await entrances.known(self.town.asking, said)
        done = await self.town.asking.act("coordinator", said.feedback_id, "spam")
        self.town.counts["spam"] += done is not None

    def _of_topic(self, topic: str) -> list[str]:
        """Comments about it so far, in the order in which they came."""
        return [feedback_id for of, feedback_id, _ in self._said if of == topic]

    def _holiday_near(self, day: Day) -> bool:
        near = self.days[day.index : day.index + 4]
        return any(one.holiday or one.make_up for one in near)

    def _twin(self, letter: Letter, rng: random.Random) -> str | None:
        """A comment about the same that came in a little earlier, sometimes."""
        if rng.random() > 0.07:
            return None
        since = self.clock.now() - timedelta(hours=20)
        same = [i for topic, i, at in self._said[-60:] if topic == letter.topic and at > since]
        return same[-1] if same else None
