"""How a step is taken: by whom, when, and what the system says to it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.demo.asking import Asking, Json
from services.demo.entrances import Said
from services.demo.letters import Letter
from services.demo.schedule import Schedule
from services.sla.domain.working_time import WorkingTime

OFFICE = "coordinator"
_LONG = timedelta(hours=5)
"""Of working time: who has done nothing by then may find it in somebody else's hands."""


@dataclass
class Town:
    """What all lives share."""

    asking: Asking
    schedule: Schedule
    hours: WorkingTime
    counts: Counter[str] = field(default_factory=Counter)
    """What happened how often, for whoever watches."""


@dataclass
class Doing:
    """Somebody's steps with one comment: when they are taken, and what comes of them."""

    town: Town
    said: Said
    letter: Letter
    rng: random.Random
    merge_into: str | None = None
    _untouched_since: datetime | None = None

    # -- time --------------------------------------------------------------------------------

    async def _wait(self, working_hours: float, *, heard: bool = False) -> None:
        """About that much working time; `heard`: until somebody else's words are known, too."""
        drawn = timedelta(hours=working_hours * self.rng.uniform(0.5, 1.5))
        await self.town.schedule.until(self.town.hours.add_working(self._now, drawn), heard=heard)

    async def _days(self, days: float) -> None:
        """About that much time, as reporters have it; then they write."""
        drawn = timedelta(days=days * self.rng.uniform(0.4, 1.6))
        await self.town.schedule.outside(self._now + drawn)

    @property
    def _now(self) -> datetime:
        return self.town.schedule.clock.now()

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    # -- doing -------------------------------------------------------------------------------

    async def _do(self, who: str, action: str, **body: Any) -> Json | None:
        done = await self.town.asking.act(who, self.said.feedback_id, action, **body)
        if done is not None:
            self.town.counts[action] += 1
        return done

    async def _work(self, handler: str, action: str, **body: Any) -> Json | None:
        """The same by who works on it; what lay too long was offered again, and is taken up."""
        if self._untouched_since is not None:
            lay = self.town.hours.working_between(self._untouched_since, self._now)
            case = await self._look() if lay > _LONG else None
            if case is not None and case["state"] == "ACCEPTED":
                await self._do(handler, "claim")
        done = await self._do(handler, action, **body)
        self._untouched_since = self._now
        return done

    async def _look(self) -> Json | None:
        return await self.town.asking.staff(OFFICE, "GET", f"/api/cases/{self.said.feedback_id}")

    async def _later(self, action: str, **body: Any) -> bool:
        if not self.said.code:
            return False
        done = await self.town.asking.later(self.said.code, action, **body)
        self.town.counts[action] += done
        return done
