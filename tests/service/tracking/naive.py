"""Every number of the board counted from the list of events, by hand and knowing nothing of ours.

No counter, table or function of tracking is used: a case is folded from its events as a reader of
the contract would, and counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from shared.moments import LOCAL

OPEN = "RECEIVED TRIAGE DISPATCHED ACCEPTED IN_PROGRESS WAITING_USER WAITING_EXTERNAL IN_REVIEW"
OPEN_STATES = {*OPEN.split(), "APPEALED"}
CLEARS = {"case.returned", "case.recalled", "case.reopened"}
SETS = {"case.dispatched", "case.accepted", "case.assigned"}


def fold(events: Iterable[Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The case after its events, and what happened in them: ``{what, at, detail, n, **where}``."""
    case: dict[str, Any] = defaultdict(lambda: None)
    case |= {"state": "RECEIVED", "department": "", "priority": "", "promises": {}, "warned": {}}
    case |= {"dispatches": 0, "returns": 0, "reopened": 0, "broken": False, "extended": False}
    happened: list[dict[str, Any]] = []
    explained: dict[Any, dict[str, Any]] = {}
    had_it, sent = "", None
    for event in events:
        what, before = event.type.removesuffix(".v1"), dict(case)
        noted: list[tuple[str, str, str, float]] = []
        if what == "feedback.received":
            case |= {"received": event.at, "channel": event.channel.value, "since": event.at}
            case |= {"category": event.category or "", "group": event.reporter_group or ""}
        if what in SETS:
            case["department"] = event.department
        if what in CLEARS:
            case["department"] = ""
        if what in ("case.replied", "case.closed"):
            case["department"] = case["department"] or getattr(event, "department", "") or ""
        if what in ("case.dispatched", "case.corrected"):
            case["category"] = event.category or case["category"]
            case["priority"] = event.priority.value
        if what == "case.dispatched":
            noted.append(("dispatch", event.previous_department or had_it, event.department, 1))
            had_it = event.department
            case["dispatches"] += 1
            case["first_dispatched"] = case["first_dispatched"] or event.at
        elif what == "case.returned":
            noted.append(("return", "", event.department, 1))
            if sent is not None and sent["department"] == event.department:
                sent |= {"back": True}
                sent = None
            case["returns"] += 1
        elif what == "case.reopened":
            case["reopened"] += case["replied"] is not None
        elif what == "case.replied":
            case |= {"replied": event.at, "outcome": event.outcome.value}
            case["first_replied"] = case["first_replied"] or event.at
        elif what in ("feedback.rated", "case.followed_up"):
            case |= {"rated": event.at, "stars": event.stars, "solved": event.solved.value}
        elif what == "case.extension_granted":
            case["extended"] = True
        elif what == "sla.warned":
            case["warned"] = case["warned"] | {event.clock: event.due}
        elif what == "sla.breached":
            noted.append(("breach", event.clock.value, case["department"], 1))
            explained.pop(event.clock, None)
            promise = case["promises"][event.clock].model_copy(update={"status": "breached"})
            case["promises"] = case["promises"] | {event.clock: promise}
        elif what == "sla.promises_changed":
            case["promises"] = {promise.clock: promise for promise in event.promises}
            for change in event.changes:
                if change.change == "met":
                    seconds = change.working_seconds
                    late = "" if change.in_time else "late"
                    name = f"met {change.clock}"
                    noted.append((name, late, case["department"], seconds))
        elif what == "case.breach_explained":
            # Said of the same breach before: that counts no more.
            happened = [one for one in happened if one is not explained.get(event.clock)]
            noted.append(("reason", event.code, event.department or case["department"], 1))
        elif what == "sla.segment_ended":
            noted.append(("hands", "", event.department, event.working_seconds))
        elif what == "notification.failed":
            became = "uncertain" if event.uncertain else "undelivered"
            noted.append((became, event.channel, case["department"], 1))
        resolution = case["promises"].get("RESOLUTION")
        if resolution and (resolution.status == "breached" or resolution.in_time is False):
            case["broken"] = True
        if (state := getattr(event, "state", None)) is not None:
            case["state"] = state.value
        if case["state"] != before["state"]:
            if before["state"] in OPEN_STATES:
                stood = int((event.at - case["since"]).total_seconds())
                happened.append(_note("state", before["state"], before["department"], stood, event))
                happened[-1] |= _where(before)
            case["since"] = event.at
        for name, detail, department, n in noted:
            happened.append(_note(name, detail, department, n, event) | _where(case))
            happened[-1]["department"] = department
            if name == "dispatch":
                sent = happened[-1]
            if name == "reason":
                explained[event.clock] = happened[-1]
    return case, happened


def _note(what: str, detail: str, department: str, n: float, event: Any) -> dict[str, Any]:
    return {"what": what, "detail": detail, "department": department, "n": n, "at": event.at}


def _where(case: dict[str, Any]) -> dict[str, Any]:
    return {k: case[k] or "" for k in ("department", "category", "channel", "priority", "group")}


def running(case: dict[str, Any]) -> dict[str, Any]:
    """The promises for which time passes."""
    if case["state"] not in OPEN_STATES:
        return {}
    return {c: p for c, p in case["promises"].items() if not p.ended and not p.paused}


def is_late(case: dict[str, Any]) -> bool:
    return getattr(running(case).get("RESOLUTION"), "status", None) == "breached"


class Log:
    """All events, case by case; asked with the filters of the board."""

    def __init__(self, histories: list[list[Any]], now: datetime) -> None:
        self.histories, self.now = histories, now
        self.folded = [fold(events) for events in histories]

    def figures(self, first: datetime, last: datetime, **where: str) -> dict[str, Any]:
        """Everything, for whole days from `first` until before `last`."""

        def mine(one: dict[str, Any]) -> bool:
            return all(one[name] == value for name, value in where.items())

        cases = [case for case, _ in self.folded if mine(_where(case))]
        happened = [one for _, all_ in self.folded for one in all_ if mine(one)]
        happened = [one for one in happened if first <= one["at"] < last]

        def on(moment: str) -> list[dict[str, Any]]:
            return [c for c in cases if c[moment] and first <= c[moment] < last]

        def of(what: str) -> list[dict[str, Any]]:
            return [one for one in happened if one["what"] == what]

        def rate(part: float, n: int) -> dict[str, Any]:
            return {"rate": round(part / n, 4) if n else None, "n": n}

        late = [
            case
            for events in self.histories
            if (before := [e for e in events if e.at < last])
            and is_late(case := fold(before)[0])
            and mine(_where(case))
        ]
        came, sent, answered, rated = map(
            on, ("received", "first_dispatched", "first_replied", "rated")
        )
        promised = [c for c in came if "RESOLUTION" in c["promises"]]
        closed, starred = of("met RESOLUTION"), [c for c in rated if c["stars"]]
        firsts = [c["promises"].get("FIRST_RESPONSE") for c in cases]
        due = [p for p in firsts if p and (p.in_time is not None or p.status == "breached")]
        due = [p for p in due if first <= p.due < last]
        halves = sum({"yes": 1, "partly": 0.5, "no": 0}[c["solved"]] for c in rated)
        outcomes = Counter(c["outcome"] for c in on("replied"))
        return self._now(cases) | {
            "received": len(came),
            "response_rate": rate(sum(p.in_time is True for p in due), len(due)),
            "on_time": rate(sum(not c["detail"] for c in closed), len(closed) + len(late)),
            "resolution_rate": rate(halves, len(rated)),
            "satisfaction": rate(sum(c["stars"] >= 4 for c in starred), len(starred)),
            "solved": rate(outcomes["solved"], outcomes.total()),
            "overdue_rate": rate(sum(c["broken"] for c in promised), len(promised)),
            "extended": rate(sum(c["extended"] for c in promised), len(promised)),
            "reopened": rate(sum(c["reopened"] > 0 for c in answered), len(answered)),
            "first_dispatch": rate(
                sum(c["dispatches"] == 1 and not c["returns"] for c in sent), len(sent)
            ),
            "returned": rate(sum(c["returns"] > 0 for c in sent), len(sent)),
            "hops": rate(sum(c["dispatches"] for c in sent), len(sent)),
            "first_response_hours": _hours(of("met FIRST_RESPONSE")),
            "resolution_hours": _hours(closed),
            "accept_hours": _hours(of("met ACCEPT")),
            "outcomes": dict(outcomes),
            "channels": dict(Counter(c["channel"] for c in came)),
            "categories": dict(Counter(c["category"] for c in came)),
            "reporter_groups": dict(Counter(c["group"] for c in came if c["group"])),
            "breaches_by_clock": dict(Counter(one["detail"] for one in of("breach"))),
            "breach_reasons": dict(Counter(one["detail"] for one in of("reason"))),
            "undelivered": len(of("undelivered")),
            "uncertain": len(of("uncertain")),
            "flow": dict(Counter((one["detail"], one["department"]) for one in of("dispatch"))),
            "dwell": dict(_means(of("state"), "detail")),
            "heat": dict(Counter(_weekday_hour(c["received"]) for c in came)),
        }

    def _now(self, cases: list[dict[str, Any]]) -> dict[str, Any]:
        lying = [c for c in cases if c["state"] in OPEN_STATES]
        overdue = [c for c in lying if self._is_overdue(c)]
        warned = [
            c
            for c in lying
            if c not in overdue
            and any(p.due == c["warned"].get(clock) for clock, p in running(c).items())
        ]
        today = self.now.astimezone(LOCAL).date()
        return {
            "open": len(lying),
            "by_state": dict(Counter(c["state"] for c in lying)),
            "by_department": dict(Counter(c["department"] for c in lying)),
            "replied": sum(c["state"] == "REPLIED" for c in cases),
            "overdue": len(overdue),
            "at_risk": len(warned),
            "due_today": sum(
                min(p.due for p in running(c).values()).astimezone(LOCAL).date() == today
                for c in lying
                if c not in overdue and running(c)
            ),
            "ages": dict(
                Counter((today - c["received"].astimezone(LOCAL).date()).days for c in lying)
            ),
        }

    def _is_overdue(self, case: dict[str, Any]) -> bool:
        return any(p.due <= self.now for p in running(case).values())

    def departments(self, first: datetime, last: datetime) -> dict[str, dict[str, Any]]:
        """What stands beside each other in the table of departments."""
        happened = [one for _, all_ in self.folded for one in all_ if first <= one["at"] < last]
        lying = [case for case, _ in self.folded if case["state"] in OPEN_STATES]
        found: dict[str, dict[str, Any]] = {}
        for department in {one["department"] for one in happened} - {""}:
            mine = [one for one in happened if one["department"] == department]
            count = Counter(one["what"] for one in mine)
            hands = [one["n"] for one in mine if one["what"] == "hands"]
            found[department] = {
                "returns": (sum(one.get("back", False) for one in mine), count["dispatch"]),
                "breaches": count["breach"],
                "overdue": sum(
                    case["department"] == department and self._is_overdue(case) for case in lying
                ),
                "hands": (sum(hands), len(hands)),
                "on_time": self.figures(first, last, department=department)["on_time"],
            }
        return found


def _hours(met: list[dict[str, Any]]) -> dict[str, Any]:
    hours = sorted(one["n"] / 3600 for one in met)
    if not hours:
        return {"p50": None, "p90": None, "n": 0}
    if len(hours) == 1:
        return {"p50": round(hours[0], 2), "p90": round(hours[0], 2), "n": 1}
    tenths = quantiles(hours, n=10, method="inclusive")
    return {"p50": round(tenths[4], 2), "p90": round(tenths[8], 2), "n": len(hours)}


def _means(some: list[dict[str, Any]], by: str) -> Iterator[tuple[str, tuple[float, int]]]:
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for one in some:
        groups[one[by]].append(one["n"])
    for name, values in groups.items():
        yield name, (round(sum(values) / len(values) / 3600, 2), len(values))


def _weekday_hour(moment: datetime) -> tuple[int, int]:
    local = moment.astimezone(LOCAL)
    return local.weekday(), local.hour


DAY = timedelta(days=1)
