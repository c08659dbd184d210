"""Besides single comments: emergencies, a fault that many report, proposals, leaders."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.demo import entrances, letters
from services.demo.days import Day
from services.demo.doing import OFFICE, Town
from services.demo.entrances import Said
from services.demo.letters import letter, stock
from services.demo.lives import Life

_PROPOSAL = "rules"


async def emergency(town: Town, at: datetime, number: int, rng: random.Random) -> None:
    """Somebody calls for help, and within minutes people are there."""
    await town.schedule.outside(at, urgent=True)
    text, place, department, reply = rng.choice(stock()["emergencies"])
    said_of = letter(rng, "facilities", text)
    body = {"text": said_of.text, "place": said_of.pick([place])}
    answer = await town.asking.ask("POST", "/api/feedback", body, address=town.asking.address())
    feedback_id = str(answer.json()["feedback_id"])
    town.counts["submitted"] += 1

    async def soon(minutes: float, *, heard: bool = False) -> None:
        moment = town.schedule.clock.now() + timedelta(minutes=minutes)
        await town.schedule.until(moment, heard=heard)

    await soon(rng.uniform(1, 4), heard=True)
    case = await town.asking.staff(OFFICE, "GET", f"/api/cases/{feedback_id}")
    if case is None:
        return
    where = case["department"]
    if case["state"] == "TRIAGE":
        given = {"department": department, "priority": "P1", "reason": "现场情况紧急，电话已通知。"}
        sent = await town.asking.act(OFFICE, feedback_id, "dispatch", **given)
        where = department if sent else None
    if where is None:
        return
    await soon(rng.uniform(2, 6))
    await town.asking.act(f"liaison.{where}", feedback_id, "accept")
    await town.asking.act(f"handler.{where}", feedback_id, "claim")
    await soon(rng.uniform(3, 9))
    words = "您好，值班的同事已经到现场，正在处理，请先离开那一带。"
    await town.asking.act(f"handler.{where}", feedback_id, "progress", text=words)
    await soon(rng.uniform(60, 200))
    done = await town.asking.act(
        f"handler.{where}", feedback_id, "reply", text=said_of.pick([reply]), outcome="solved"
    )
    town.counts["replied"] += done is not None


@dataclass
class Fault:
    """Off-campus access fails: many write about it, one incident explains and answers it."""

    town: Town
    day: Day
    rng: random.Random
    incident: str | None = None
    joined: list[str] = field(default_factory=list)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def arrivals(self, count: int) -> list[datetime]:
        """When people write about it: at once, and less and less for two days."""
        begin = self.day.at(8, 40)
        later = (min(30.0, self.rng.expovariate(1 / 5)) for _ in range(count))
        return sorted(begin + timedelta(hours=hours) for hours in later)

    async def run(self) -> None:
        """The office opens an incident, explains, and answers everybody when it is over."""
        words = stock()["surge"]
        await self.town.schedule.until(self.day.at(10, 15))
        body = {"title": words["title"], "text": words["explanation"]}
        try:
            opened = await self.town.asking.staff(OFFICE, "POST", "/api/incidents", body)
            self.incident = str(opened["incident_id"]) if opened else None
        finally:
            self._opened.set()
        if self.incident is None:
            return
        self.town.counts["incidents"] += 1
        await self.town.schedule.until(self.day.at(16, 30))
        path = f"/api/incidents/{self.incident}"
        await self.town.asking.staff(OFFICE, "POST", f"{path}/explain", {"text": words["update"]})
        await self.town.schedule.until(self.day.at(17, 0) + timedelta(days=2))
        body = {"text": words["reply"], "outcome": "solved"}
        answered = await self.town.asking.staff(OFFICE, "POST", f"{path}/reply", body)
        if answered is not None:
            self.town.counts["replied"] += answered["total"]
        await self.town.schedule.until(self.day.at(11, 0) + timedelta(days=4))
        closing = {"reason": words["closing"], "waiting": "go_on"}
        await self.town.asking.staff(OFFICE, "POST", f"{path}/close", closing)

    async def report(self, at: datetime, number: int, tokens: dict[str, str]) -> None:
        """Somebody writes about it, and is joined to it."""
        rng = random.Random(f"fault {number} {self.rng.random()}")
        await self.town.schedule.outside(at)
        about = letters.surge(rng)
        said = await entrances.submit(self.town.asking, about, number, rng, tokens)
        self.town.counts["submitted"] += 1
        seen = self.town.hours.add_working(self.town.schedule.clock.now(), timedelta(minutes=20))
        await self.town.schedule.until(max(self.day.at(10, 45), seen), heard=True)
        said = await entrances.known(self.town.asking, said)
        await self._opened.wait()
        if self.incident is not None:
            joined = await self.town.asking.act(
                OFFICE, said.feedback_id, "join", incident=self.incident
            )
            self.town.counts["join"] += joined is not None
        await self.town.schedule.outside(self.day.at(18, 0) + timedelta(days=2))
        life = Life(self.town, said, about, rng)
        await life.explain(about.department)
        await life.after_reply("solved")


async def proposal(town: Town, at: datetime, text: str, rng: random.Random) -> None:
    """The students' union hands a proposal in; the library's office takes its time."""
    await town.schedule.outside(at)
    said: Said = await entrances.enter(town.asking, {"text": text}, "proposal", rng)
    town.counts["submitted"] += 1
    await Life(town, said, letter(rng, _PROPOSAL, text), rng).live()


async def leader(town: Town, day: Day, rng: random.Random) -> None:
    """In the morning a leader looks at what is overdue, and has something to say about one."""
    await town.schedule.until(day.at(9, 55))
    late = await town.asking.staff("leader", "GET", "/api/cases?queue=overdue&limit=20")
    if late and late["items"] and rng.random() < 0.5:
        chosen = rng.choice(late["items"])["feedback_id"]
        text = rng.choice(stock()["general"]["supervise"])
        done = await town.asking.act("leader", chosen, "supervise", text=text)
        town.counts["supervise"] += done is not None
