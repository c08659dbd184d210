"""What becomes of one comment: everything that its reporter and the staff do, one life each.

Nobody here knows more than a page or an answer shows them. What cannot be done now is left as it
is, and counted (`Asking.refused`).
"""

from __future__ import annotations

from datetime import timedelta

from services.demo.asking import Json
from services.demo.doing import OFFICE, Doing
from services.demo.entrances import known
from services.demo.letters import stock
from shared.moments import moment

WORKING_DAY = 7.5
"""Hours."""
PACE = {"facilities": 3.4, "eresources": 1.4, "acquisition": 1.3, "it": 0.9, "circulation": 0.7}
"""How long a department takes, most of them 1: one of them is slow, and it shows."""
_TOLD = ("FIRST_RESPONSE", "RESOLUTION")
_OUTCOMES = {
    "solved": 64, "explained": 17, "partly": 9, "cannot": 5, "passed_on": 4, "no_longer_needed": 1,
}  # fmt: skip
_STARS = {
    "solved": (1, 2, 6, 25, 66),
    "explained": (6, 10, 24, 34, 26),
    "partly": (5, 10, 30, 40, 15),
    "cannot": (18, 22, 30, 20, 10),
}
"""How many of a hundred give one star, two, …"""
_SOLVED = {"solved": "yes", "explained": "partly", "partly": "partly", "cannot": "no"}


class Life(Doing):
    """One comment from when it is taken in."""

    # -- the whole of it ---------------------------------------------------------------------

    async def live(self) -> None:
        """From the office's first look to wherever it ends."""
        await self._wait(0.2, heard=True)
        self.said = await known(self.town.asking, self.said)
        case = await self._look()
        if case is None or await self._ended_early(case):
            return
        department = await self._placed(case)
        taken = await self._signed(department, case) if department else None
        if taken is None:
            return
        outcome = await self._worked_on(str(taken["department"]), taken)
        if outcome is not None:
            await self.after_reply(outcome)

    async def _ended_early(self, case: Json) -> bool:
        """What never comes to a department."""
        if self._chance(0.02) and await self._later("withdraw"):
            return True
        if self.merge_into is not None:
            reason = self.letter.say("merges")
            joined = await self._do(OFFICE, "merge", into=self.merge_into, reason=reason)
            return joined is not None
        if case["state"] != "TRIAGE":
            return False
        if self.letter.topic == "not_ours":
            return await self._rejected()
        share = 0.8 if self.letter.about.get("inquiry") else 0.4
        if self.letter.topic != "praise" and not self._chance(share):
            return False
        able = [o for o in self.letter.outcomes if o in ("solved", "explained")]
        outcome = self.rng.choice(able) if self.letter.about.get("inquiry") else "solved"
        answered = await self._do(OFFICE, "reply", **self._reply(outcome))
        if answered is not None:
            await self.after_reply(outcome)
        return answered is not None

    async def _rejected(self) -> bool:
        reason, instead = self.rng.choice(self.letter.about["rejections"])
        return await self._do(OFFICE, "reject", reason=reason, instead=instead) is not None

    # -- to whom it goes ---------------------------------------------------------------------

    async def _placed(self, case: Json) -> str | None:
        """The department that has it, in the end."""
        right = self.letter.department
        if case["state"] == "TRIAGE":
            if self._chance(0.4):
                await self._wait(0.6)
            first = self._somebody_else(right) if self._chance(0.07) else right
            case = await self._dispatch(first) or {}
        department = case.get("department")
        if not case or case["state"] != "DISPATCHED":
            return None
        if self.letter.topic == "not_ours":
            # Routing took it for one of ours.
            if await self._returned(str(department), right):
                await self._rejected()
            return None
        for _ in range(2):
            if department == right or self._chance(0.3):
                break
            if not await self._returned(str(department), right):
                return None
            if await self._dispatch(right) is None:
                return None
            department = right
        return str(department)

    async def _returned(self, department: str, right: str) -> bool:
        """Not theirs, and they say whose it is; the office sees it again a little later."""
        await self._wait(2 * self._pace(department))
        directory = self.town.asking.runtime.directory
        self.letter.words["other"] = directory.department_name(right, "zh")
        why = self.letter.say("return_reasons")
        suggested = {} if department == right else {"suggest": right}
        back = await self._do(f"liaison.{department}", "return", reason=why, **suggested)
        await self._wait(1)
        return back is not None

    async def _dispatch(self, department: str, reason: str = "") -> Json | None:
        reason = reason or self.letter.say("dispatch_again")
        return await self._do(OFFICE, "dispatch", department=department, reason=reason)

    def _somebody_else(self, right: str) -> str:
        near = {"it": "eresources", "eresources": "it", "facilities": "space", "space": "desk"}
        return near.get(right, "office" if right != "office" else "desk")

    async def _signed(self, department: str, case: Json) -> Json | None:
        """Accepted, and in somebody's hands: the case as it is then."""
        soon = case["type"] == "inquiry" or case["priority"] in ("P1", "P2")
        pace = self._pace(department) * (0.4 if soon else 1)
        await self._wait(0.7 * pace)
        if await self._do(f"liaison.{department}", "accept") is None:
            return None
        if self._chance(0.5):
            await self._wait(0.5 * pace)
        handler = f"handler.{department}"
        if self._chance(0.3):
            taken = await self._do(f"liaison.{department}", "assign", to=handler)
        else:
            taken = await self._do(handler, "claim")
        self._untouched_since = self._now
        return taken

    def _pace(self, department: str) -> float:
        return PACE.get(department, 1.0) * self.rng.lognormvariate(0, 0.35)

    # -- the work ----------------------------------------------------------------------------

    async def _worked_on(self, department: str, case: Json) -> str | None:
        """The outcome of the reply, when there is one."""
        handler = f"handler.{department}"
        pace = self._pace(department)
        days = {"P1": 0.1, "P2": 0.3, "P4": 1.0}.get(str(case["priority"]), 0.5)
        days *= self.rng.lognormvariate(0, 0.7)
        effort = days * WORKING_DAY * pace * (0.25 if case["type"] == "inquiry" else 1)
        if self._chance(0.15):
            await self._work(handler, "note", text=self.letter.say("notes"))
        asks = bool(self.letter.about["asks"]) and self._chance(0.09)
        if asks and not await self._asked(handler):
            return None
        if self._chance(0.05):
            await self._together(department)
        if self._takes_longer(effort, case) or self._chance(0.08):
            await self._wait(min(0.15 * effort, pace))
            if self._chance(0.9):
                await self._work(handler, "progress", text=self.letter.say("progress"))
        if self.letter.about.get("vendor") and self._chance(0.16):
            await self._waiting_for_others(handler)
        if effort > 3 * WORKING_DAY and self._chance(0.4):
            await self._more_time(department)
        await self._until_done(handler, 0.6 * effort, case)
        return await self._answered(department)

    def _takes_longer(self, effort: float, case: Json) -> bool:
        """Than a first word was promised in, or nearly: something is said before."""
        due = moment(case["due"].get("FIRST_RESPONSE"))
        end = self.town.hours.add_working(self._now, timedelta(hours=1 + 0.8 * effort))
        return due is not None and due < end

    async def _until_done(self, handler: str, effort: float, case: Json) -> None:
        """The rest of the work; a promise that breaks meanwhile is given a reason and a date."""
        end = self.town.hours.add_working(self._now, timedelta(hours=effort))
        if effort > WORKING_DAY and self._chance(0.4):
            await self.town.schedule.outside(self._now + (end - self._now) * 0.7)
            await self._later("urge")
        due = moment(case["due"].get("RESOLUTION"))
        late = self.town.hours.add_working(due, timedelta(hours=2)) if due else end
        if due is not None and self._now < due and late < end and self._chance(0.75):
            await self.town.schedule.until(late, heard=True)
            code, text = self.rng.choice(stock()["general"]["breach_codes"])
            until = self.town.hours.add_working(end, timedelta(hours=4)).isoformat()
            given = {"clock": "RESOLUTION", "code": code, "text": text, "until": until}
            await self._do(handler, "explain_breach", **given)
        await self.town.schedule.until(end)

    async def _asked(self, handler: str) -> bool:
        """A question; the reporter answers it, or the week runs out."""
        await self._wait(1)
        if await self._work(handler, "ask", question=self.letter.ask()) is None:
            return False
        if self._chance(0.75):
            await self._days(0.7)
            await self._later("supplement", text=self.letter.answer())
        else:
            await self.town.schedule.until(self._now + timedelta(days=7, hours=30), heard=True)
        await self._wait(1, heard=True)
        return True

    async def _together(self, department: str) -> None:
        other = self._somebody_else(department)
        question = self.letter.say("co_questions")
        asked = await self._do(OFFICE, "add_department", department=other, question=question)
        if asked is not None:
            await self._wait(4)
            await self._do(f"handler.{other}", "finish_part", text=self.letter.say("co_answers"))

    async def _waiting_for_others(self, handler: str) -> None:
        until = self.town.hours.add_working(self._now, timedelta(hours=2.5 * WORKING_DAY))
        waits = await self._work(
            handler,
            "wait",
            **{"for": self.letter.pick(self.letter.about["vendor"])},
            until=until.isoformat(),
            reason=self.letter.say("waits"),
        )
        if waits is None:
            return
        await self._wait(WORKING_DAY)
        await self._work(handler, "progress", text=self.letter.say("progress"))
        await self._wait(WORKING_DAY)
        await self._do(handler, "resume")

    async def _more_time(self, department: str) -> None:
        """Asked for while there is some left; the department's head decides."""
        case = await self._look()
        due = moment((case or {}).get("due", {}).get("RESOLUTION"))
        if due is None or due <= self._now:
            return
        until = self.town.hours.add_working(due, timedelta(hours=2 * WORKING_DAY))
        asked = await self._work(
            f"handler.{department}",
            "extend",
            until=until.isoformat(),
            reason=self.letter.say("extensions"),
        )
        if asked is None:
            return
        await self._wait(2)
        head = f"reviewer.{department}"
        if self._chance(0.7):
            await self._do(head, "grant_extension", note=self.letter.say("grants"))
        else:
            await self._do(head, "refuse_extension", reason=self.letter.say("refusals"))

    # -- the answer --------------------------------------------------------------------------

    async def _answered(self, department: str) -> str | None:
        outcome = self._outcome()
        handler, head = f"handler.{department}", f"reviewer.{department}"
        words = self._reply(outcome)
        if not (self.letter.about.get("reviewed") or self._chance(0.14)):
            done = await self._work(handler, "reply", **words)
        else:
            done = await self._work(handler, "submit", **words)
            await self._wait(2 * self._pace(department))
            if done is not None and self._chance(0.25):
                await self._do(head, "send_back", comment=self.letter.say("send_backs"))
                await self._wait(2)
                await self._work(handler, "submit", **words)
                await self._wait(1)
            done = done and await self._do(head, "approve")
        if done is None:
            return None
        self.town.counts["replied"] += 1
        if self._late(done) and self._chance(0.93):
            await self.explain(department)
        return outcome

    def _late(self, case: Json) -> bool:
        """Whether something that was promised may have come too late."""
        ends = (moment(p["due"]) for p in case["promises"] if p["clock"] in _TOLD)
        return any(end is not None and end < self._now for end in ends)

    async def explain(self, department: str) -> None:
        """The reason for every promise that was broken."""
        await self._wait(1.5, heard=True)
        case = await self._look()
        code, text = self.rng.choice(stock()["general"]["breach_codes"])
        for clock in (case or {}).get("reasons_owed", ()):
            given = {"clock": clock, "code": code, "text": text}
            await self._do(f"handler.{department}", "explain_breach", **given)

    def _outcome(self) -> str:
        able = [one for one in _OUTCOMES if one in self.letter.outcomes]
        return self.rng.choices(able, [_OUTCOMES[one] for one in able])[0]

    def _reply(self, outcome: str) -> Json:
        body: Json = {"text": self.letter.reply(outcome), "outcome": outcome}
        if outcome in ("explained", "cannot"):
            body["reason"] = "按现行规定和条件办理，已向读者说明。"
        return body

    # -- afterwards --------------------------------------------------------------------------

    async def after_reply(self, outcome: str, cycle: int = 1) -> None:
        """What the reporter makes of the answer, and what the office does about it."""
        await self._days(0.8)
        drawn = self.rng.random()
        if drawn < 0.40:
            await self._rated(outcome)
        elif drawn < 0.40 + (0.03 if outcome == "solved" else 0.12):
            await self._again(outcome, cycle)
        elif drawn < 0.56:
            await self._words_after(outcome)
        elif drawn < 0.66:
            await self._wait(8, heard=True)
            text = self.letter.say("follow_ups")
            solved = _SOLVED.get(outcome, "partly")
            await self._do(OFFICE, "follow_up", solved=solved, stars=4, text=text, how="phone")

    async def _rated(self, outcome: str) -> None:
        stars = self.rng.choices(range(1, 6), _STARS.get(outcome, (5, 10, 30, 35, 20)))[0]
        body: Json = {"stars": stars, "solved": _SOLVED.get(outcome, "partly")}
        if stars <= 2:
            body["solved"] = "no"
        if self._chance(0.5):
            body["comment"] = self.letter.pick(_ratings(stars))
        await self._later("rate", **body)

    async def _again(self, outcome: str, cycle: int) -> None:
        """It is not solved: once more, and after that a leader decides."""
        if cycle > 1:
            await self._appealed()
            return
        if not await self._later("reopen", reason=self.letter.say("reopens")):
            return
        await self._wait(1, heard=True)
        department = self.letter.department
        sent = await self._dispatch(department, "读者说没有解决，请重新看一看。")
        if sent is None or not await self._signed(department, sent):
            return
        await self._wait(6 * self._pace(department))
        second = await self._answered(department)
        if second is not None and self._chance(0.35):
            await self._days(0.8)
            await self._appealed()
        elif second is not None:
            await self.after_reply(second, 2)

    async def _appealed(self) -> None:
        if not await self._later("appeal", reason=self.letter.say("appeals")):
            return
        await self._wait(8, heard=True)
        if self._chance(0.4):
            upheld = await self._do("leader", "uphold", reason=self.letter.say("upholds"))
            department = self.letter.department
            sent = upheld and await self._dispatch(department, "复核成立，请重新办理。")
            if sent and await self._signed(department, sent):
                await self._wait(6)
                await self._answered(department)
        else:
            await self._do("leader", "dismiss", reason=self.letter.say("dismisses"))

    async def _words_after(self, outcome: str) -> None:
        """Something more, which is owed an answer."""
        if await self._later("supplement", text=self.letter.say("after_reply")):
            await self._wait(3, heard=True)
            await self._do(OFFICE, "progress", text=self.letter.say("after_answer"))


def _ratings(stars: int) -> list[str]:
    return list(stock()["general"]["ratings"][str(stars)])
