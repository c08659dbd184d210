"""Random histories of cases: events as the log would have them, some of every kind that counts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from services.desk.seeds import DEPARTMENTS
from shared.contracts.desk import (
    CaseBreachExplained,
    CaseClosed,
    CaseCorrected,
    CaseExtensionGranted,
    CaseFollowedUp,
    CaseInfoRequested,
    CaseMerged,
    CaseRecalled,
    CaseReopened,
    CaseReplied,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.notification import NotificationFailed
from shared.contracts.sla import SlaSegmentEnded, SlaWarned
from shared.contracts.vocabulary import Clock
from tests.support import at
from tests.unit.tracking.examples import Story

BEGIN = at("2026-02-20 08:00")
NOW = at("2026-03-04 10:00")
"""When somebody asks: no log holds what is still to come."""
CATEGORIES = ("seats", "facilities", "not_ours")
CHANNELS = ("web", "desk", "wechat")
GROUPS = (None, "students", "teachers")
CODES = ("waiting_external", "overload", "other")
OUTCOMES = ("solved", "explained", "partly", "cannot")


class History:
    """One case; `next` adds something that may happen to it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.story = Story(now=BEGIN + timedelta(minutes=chance.randrange(17_000)))
        self.department = chance.choice(list(DEPARTMENTS)[:4])
        self.met: set[Clock] = set()
        begin = self.story.now
        self.events: list[Any] = [
            self.story.received(
                channel=chance.choice(CHANNELS),
                category=chance.choice((None, *CATEGORIES)),
                reporter_group=chance.choice(GROUPS),
            ),
            self.story.opened(),
            self.story.promised(Clock.FIRST_RESPONSE, begin + timedelta(hours=8)),
            self.story.promised(Clock.RESOLUTION, begin + timedelta(days=2)),
        ]
        for _ in range(chance.randrange(16)):
            self.story.later(seconds=chance.randrange(60, 72_000))
            if self.story.now > NOW:
                break
            self.events.append(self.next())

    def meet(self, clock: Clock) -> Any:
        """A promise is met once a cycle."""
        if clock in self.met:
            return self.story.accepted(self.department)
        self.met.add(clock)
        hours, in_time = self.chance.choice((1, 2, 5)), self.chance.choice((True, True, False))
        return self.story.met(clock, hours, in_time=in_time)

    def next(self) -> Any:
        """Whatever happens, likely or not: a view has to count what stands in the log."""
        s, choose = self.story, self.chance.choice
        where = choose((self.department, self.department, "it"))
        clock = choose((Clock.RESOLUTION, Clock.FIRST_RESPONSE))
        due = s.promises.now[clock].due
        return choose(
            (
                lambda: s.dispatched(
                    where, category=choose(CATEGORIES), priority=choose(("P2", "P3"))
                ),
                lambda: s.dispatched(where, again=True, previous_department=self.department),
                lambda: s.of(CaseReturned, department=where, reason="不归我们"),
                lambda: s.of(CaseRecalled, reason="派错了"),
                lambda: s.accepted(where),
                lambda: s.assigned(where),
                lambda: s.of(CaseInfoRequested, question="哪一层？"),
                lambda: s.of(
                    CaseReplied, department=where, text="修好了。", outcome=choose(OUTCOMES)
                ),
                lambda: s.breached(clock),
                lambda: s.breached(Clock.RESOLUTION),
                lambda: s.of(CaseBreachExplained, clock=clock, code=choose(CODES), text="缺料"),
                lambda: s.of(SlaWarned, clock=clock, due=due, first_due=due, level=75),
                lambda: s.promised(Clock.RESOLUTION, s.now + timedelta(days=choose((1, 30)))),
                lambda: s.changed("paused", Clock.RESOLUTION),
                lambda: s.changed("cancelled", clock),
                lambda: self.meet(clock),
                lambda: s.of(CaseExtensionGranted, until=s.now + timedelta(days=9), reason="等料"),
                lambda: s.rated(choose((1, 3, 4, 5)), choose(("yes", "partly", "no"))),
                lambda: s.of(CaseFollowedUp, solved=choose(("yes", "no")), how="phone"),
                lambda: s.of(CaseReopened, reason="还是坏的", cycle=2),
                lambda: s.of(CaseClosed, how="quiet"),
                lambda: s.of(CaseMerged, into="another"),
                lambda: s.of(CaseWithdrawn),
                lambda: s.of(
                    CaseCorrected,
                    changed=("category",),
                    category=choose(CATEGORIES),
                    case_type="complaint",
                    priority=choose(("P1", "P4")),
                    reason="看错了",
                ),
                lambda: s.of(
                    SlaSegmentEnded,
                    department=where,
                    started=s.now,
                    working_seconds=choose((600, 7_200)),
                    elapsed_seconds=9_000,
                ),
                lambda: s.of(
                    NotificationFailed,
                    delivery_id="d",
                    kind="reply",
                    channel=choose(("email", "wechat")),
                    audience="reporter",
                    reason="refused",
                    uncertain=choose((True, False)),
                ),
            )
        )()
