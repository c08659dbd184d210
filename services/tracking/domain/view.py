"""The body of ``GET /api/track/{code}``: a case as its reporter may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from shared.contracts import short_type
from shared.contracts.rights import Asked, Rights, allowed_actions
from shared.contracts.sla import still_runs
from shared.contracts.vocabulary import Clock, State, complains
from shared.moments import as_read, local


@dataclass(frozen=True)
class Line:
    """One line of the timeline as it is stored."""

    seq: int
    at: datetime
    type: str
    data: dict[str, Any]


def asked(lines: Iterable[Line]) -> Asked:
    """What the reporter asked for and desk has not answered."""
    found = Asked()
    for line in lines:
        found = found.after(line.type, line.at, short_type(line.data.get("request", "")))
    return found


def words_owed(state: str, lines: Iterable[Line], *, joined: bool = False) -> bool:
    """Whether the reporter said something since the reply that nobody answered: that is owed.
    Thanks alone are not. Where their case was `joined` to another, saying that it is not solved
    neither closes nor reopens that, and is owed an answer, too."""
    owed = False
    for line in lines:
        if line.type in _FOR_ALL:
            owed = False
        elif _asks_for_more(line, joined=joined):
            owed = True
    return owed and state == State.REPLIED


def _asks_for_more(line: Line, *, joined: bool) -> bool:
    match line.type:
        case "feedback.supplemented":
            return not line.data.get("thanks")
        case "feedback.reopen_requested":
            return joined
        case "feedback.rated" if joined and line.data.get("comment"):
            return complains(line.data["stars"], line.data["solved"])
        case _:
            return False


def solved(seen: Seen) -> str | None:
    """What the reporter said of the last answer: ``yes``, ``partly`` or ``no``; None before."""
    rated_at = seen.case.rated_at
    answers = [line.at for line in seen.lines if _answers(line)]
    if rated_at is None or (answers and rated_at < max(answers)):
        return None
    return str(seen.case.solved)


def _answers(line: Line) -> bool:
    through = line.type == _THROUGH and line.data.get("kind") != "progress"
    return through or line.type == "case.replied"


def _is_answered(lines: Iterable[Line]) -> bool:
    """Whether there is an answer that counts today: none did where it has begun anew since."""
    answered = False
    for line in lines:
        given = _answers(line) and not _rejects(line)
        answered = given or (answered and line.type not in _BEGINS_AGAIN)
    return answered


def _as_promised(lines: Iterable[Line]) -> list[Line]:
    """Without a date that was replaced before it was ever read: it was no promise yet."""
    kept: list[Line] = []
    for line in lines:
        anew = {p["clock"] for p in line.data.get("promises", ()) if p["kind"] == "anew"}
        if anew:
            kept = [one for earlier in kept if (one := _without_first(earlier, anew))]
        kept.append(line)
    return kept


def _without_first(line: Line, clocks: set[str]) -> Line | None:
    """The line without first dates of these clocks; None when nothing is left of it."""
    dates = line.data.get("promises", ())
    left = [p for p in dates if p["clock"] not in clocks or p["kind"] not in ("first", "anew")]
    if len(left) == len(dates):
        return line
    return replace(line, data=line.data | {"promises": left}) if left else None


def _told_once(lines: Iterable[Line]) -> list[Line]:
    """Without what was said before and holds still: an answer that goes back to whoever wrote it
    is written again, which is no news to its reader. The first time stands."""
    told: set[tuple[str, str | None]] = set()
    kept = []
    for line in lines:
        said = (line.type, line.data.get("department"))
        if line.type in _HOLDS:
            if said in told:
                continue
            told.add(said)
        elif line.type in _MOVES:
            told.clear()
        kept.append(line)
    return kept


class Wording(Protocol):
    """How this reader reads things: the sentences are no matter of the domain."""

    def state(self, code: str) -> str: ...

    def department(self, code: str | None) -> str: ...

    def answerer(self, code: str | None) -> str: ...

    def due(self, due: str) -> str: ...

    def line(self, type_: str, data: Mapping[str, Any]) -> str: ...

    def next_step(self, state: str, department: str) -> str: ...

    def closed(self, solved: str | None) -> str: ...

    def waiting_for_another(self) -> str: ...

    def after_reply(self, may: Collection[str], solved: str | None, until: str | None) -> str: ...

    def let_stand(self, may: Collection[str], until: str | None, left: int | None) -> str: ...

    def rejected(self, instead: str | None, *, final: bool, may: Collection[str]) -> str: ...

    def split(self) -> str: ...

    def split_next(self) -> str: ...

    def owed(
        self, department: str, promise: Mapping[str, Any] | None, *, others: bool = False
    ) -> str: ...

    def reason(self, reason: str | None) -> str | None: ...


def line_body(line: Line, wording: Wording) -> dict[str, Any]:
    """``{seq, at, type, text}``."""
    text = wording.line(line.type, line.data)
    return {"seq": line.seq, "at": local(line.at), "type": line.type, "text": text}


@dataclass(frozen=True)
class Seen:
    """A case and the lines of its timeline."""

    case: Any
    lines: list[Line]


def body(
    seen: Seen,
    *,
    now: datetime,
    wording: Wording,
    target: Seen | None = None,
    parts: Iterable[Seen] = (),
) -> dict[str, Any]:
    """The whole answer.

    A case that was joined to `target` shows where that one is, and what it was answered; nothing
    of what another reporter said. What its own reporter was answered through another case stays
    when the two are parted. One that was split shows its `parts`.
    """
    case, lines = seen.case, _as_promised(seen.lines)
    told = Seen(case, lines) if target is None else Seen(target.case, _as_promised(target.lines))
    own, parts = Seen(case, lines), list(parts)
    texts = [Seen(one.case, _told_through(one.lines)) for one in (own, *parts)]
    if target is not None:
        texts[0] = Seen(case, _told_through(lines, besides=target.case.feedback_id))
        texts.insert(1, Seen(target.case, [one for one in told.lines if one.type != _THROUGH]))
    details = told.case.details
    department = wording.department(told.case.department)
    may = _may(case, lines, now)
    return {
        "feedback_id": case.feedback_id,
        "state": told.case.state,
        "state_text": _state_text(told, wording, own=own, split=bool(parts)),
        "department": told.case.department,
        "department_name": department or None,
        "next_step": _next_step(told, wording, own=own, may=may, split=bool(parts)),
        "answered": _is_answered(told.lines) or _is_answered(lines),
        "solved": solved(own),
        "joined": target is not None,
        **_situation(told, wording),
        "let_stand": _let_stand(own),
        "helping": [wording.department(code) for code in details.get("helping", ())],
        "incident": _incident(details),
        "parts": [_part(part, now, wording) for part in parts],
        "received_at": local(case.received_at),
        "channel": case.channel,
        "place": case.place,
        "category": case.category,
        "priority": case.priority,
        "promises": _promises(told.case, wording),
        "timeline": [line_body(line, wording) for line in _told_once(lines)],
        "replies": [reply for one in texts for reply in _replies(one)],
        "conversation": _conversation(texts[0].lines, texts[1:], wording),
        "may": may,
        **(_taken_back(wording) if _is_taken_back(told, parts) else {}),
    }


def _is_taken_back(told: Seen, parts: Collection[Seen]) -> bool:
    """Whether a comment was split, and each part of it withdrawn."""
    withdrawn = bool(parts) and all(one.case.state == State.WITHDRAWN for one in parts)
    return withdrawn and told.case.state == State.MERGED


def _taken_back(wording: Wording) -> dict[str, Any]:
    state = State.WITHDRAWN
    return {
        "state": state,
        "state_text": wording.state(state),
        "next_step": wording.next_step(state, ""),
    }


def rejection(seen: Seen) -> dict[str, Any] | None:
    """``{instead, looked_again}`` of what was not taken on; None of everything else.

    `looked_again`: a leader did, and let it stand. The reason is in the conversation of the one it
    was written to, and not here, where those read it too who were joined to the case.
    """
    if seen.case.state not in (State.REJECTED, State.CLOSED):
        return None
    found: dict[str, Any] | None = None
    for line in seen.lines:
        if line.type == "case.rejected":
            found = {"instead": line.data.get("instead"), "looked_again": False}
        elif line.type in _BEGINS_AGAIN:
            found = None
        elif line.type == "case.appeal_dismissed" and found is not None:
            found |= {"looked_again": True}
    return found


def _let_stand(seen: Seen) -> bool:
    """Whether a leader looked at an answer again, and let it stand.

    That is told to whoever asked them: it is no matter of those who were joined to the case.
    """
    answered = seen.case.state in (State.REPLIED, State.CLOSED) and not rejection(seen)
    return answered and bool(seen.case.rights.get("appeal_dismissed"))


def _state_text(told: Seen, wording: Wording, *, own: Seen, split: bool) -> str:
    if told.case is not own.case and told.case.state == State.WAITING_USER:
        return wording.waiting_for_another()
    state = State.REJECTED if rejection(told) else told.case.state
    if split and state == State.MERGED:
        return wording.split()
    return wording.closed(solved(own)) if state == State.CLOSED else wording.state(state)


def _situation(seen: Seen, wording: Wording) -> dict[str, Any]:
    """What besides the state says where it is.

    ``{extended, waiting_for, answer_by, back, rejected, answered_by}``
    """
    case = seen.case
    waiting = case.details.get("waiting") or {}
    until = waiting.get("until")
    date = (
        {"until": local(datetime.fromisoformat(until)), "until_text": wording.due(until)}
        if until
        else {}
    )
    return {
        "extended": case.extended,
        "waiting_for": {"for": waiting["for"]} | date if waiting.get("for") else None,
        "answer_by": date or None if case.state == State.WAITING_USER else None,
        "back": case.details.get("back") if case.state == State.TRIAGE else None,
        "rejected": rejection(seen),
        "answered_by": _answered_by(seen, wording),
    }


def _answered_by(seen: Seen, wording: Wording) -> str | None:
    """Who gave the last answer: a department, or the office itself."""
    answers = [line for line in seen.lines if _answers(line)]
    return wording.answerer(answers[-1].data.get("department")) if answers else None


def _next_step(
    told: Seen, wording: Wording, *, own: Seen, may: Collection[str], split: bool
) -> str:
    """What happens next, or what the reader can do; never empty.

    `may` is what the reader of their `own` case may, who reads where the one that is `told` stands.
    """
    case = told.case
    joined = case is not own.case
    department = wording.department(case.department)
    promise = case.promises.get(Clock.NEXT_RESPONSE)
    promise = promise if promise and still_runs(promise) else None
    if words_owed(case.state, own.lines, joined=joined):
        return wording.owed(department, promise)
    if case.state == State.REPLIED and promise:
        # Another reader of the same matter spoke: it does not end before they are answered.
        return wording.owed(department, promise, others=True)
    if (rejected := rejection(told)) or case.state == State.REJECTED:
        why = rejected or {"instead": None, "looked_again": False}
        return wording.rejected(why["instead"], final=why["looked_again"], may=may)
    if split and case.state == State.MERGED:
        return wording.split_next()
    if joined and case.state == State.WAITING_USER:
        return wording.next_step(State.IN_PROGRESS, department)
    if _let_stand(own):
        rights = own.case.rights
        return wording.let_stand(may, rights.get("reopen_until"), rights.get("reopen_left"))
    if case.state in (State.REPLIED, State.CLOSED):
        return wording.after_reply(may, solved(own), own.case.rights.get("reopen_until"))
    return wording.next_step(case.state, department)


def _may(case: Any, lines: list[Line], now: datetime) -> list[str]:
    possible = allowed_actions(Rights.model_validate(case.rights), asked(lines), now=now)
    # What ended with its incident, as it could before, may be reopened, but there is no answer.
    return [one for one in possible if one != "rate" or _is_answered(lines)]


def _promises(case: Any, wording: Wording) -> list[dict[str, Any]]:
    return [
        _promise(clock, case.promises[clock], wording) for clock in Clock if clock in case.promises
    ]


def _replies(seen: Seen) -> list[dict[str, Any]]:
    return [
        {
            "at": local(i.at),
            "text": i.data["text"],
            "outcome": i.data.get("outcome"),
            "rule": i.data.get("rule"),
        }
        for i in seen.lines
        if _answers(i)
    ]


def _told_through(lines: Iterable[Line], besides: str | None = None) -> list[Line]:
    """Of what was answered through another case what has words here; `besides`: that case's own
    lines are shown, too, all but its rejection, which is said to each reporter by themselves."""

    def shown(line: Line) -> bool:
        there = line.data.get("into") == besides and not _rejects(line)
        return line.type != _THROUGH or (bool(line.data.get("text")) and not there)

    return list(filter(shown, lines))


def _rejects(line: Line) -> bool:
    """Of what was answered through another case: the words of its rejection."""
    return line.data.get("kind") == "reply" and not line.data.get("outcome")


def _conversation(
    lines: list[Line], others: Iterable[Seen], wording: Wording
) -> list[dict[str, Any]]:
    """What both sides said, by time; of `others` only what the library said."""
    lines = _with_what_is_left(lines)
    said = [(line.at, one) for line in lines if (one := _said(line, wording))]
    for other in others:
        answers = [line for line in other.lines if line.type in _FOR_ALL]
        said += [(line.at, one) for line in answers if (one := _said(line, wording))]
    return [one for _, one in sorted(said, key=lambda pair: pair[0])]


def _with_what_is_left(lines: list[Line]) -> list[Line]:
    """Without the pictures that were erased since they were sent."""
    erased = max((line.seq for line in lines if line.type == "feedback.pictures_erased"), default=0)
    return [
        replace(line, data={k: v for k, v in line.data.items() if k != "pictures"})
        if line.seq < erased
        else line
        for line in lines
    ]


def _part(part: Seen, now: datetime, wording: Wording) -> dict[str, Any]:
    """One of the matters a comment was split into; what may be done to it carries its id."""
    case = part.case
    department = wording.department(case.department)
    may = _may(case, part.lines, now)
    return {
        "feedback_id": case.feedback_id,
        "title": case.title,
        "state": case.state,
        "state_text": _state_text(part, wording, own=part, split=False),
        "department": case.department,
        "department_name": department or None,
        "next_step": _next_step(part, wording, own=part, may=may, split=False),
        "answered": _is_answered(part.lines),
        "solved": solved(part),
        **_situation(part, wording),
        "let_stand": _let_stand(part),
        "promises": _promises(case, wording),
        "may": may,
    }


def _incident(details: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the public reads about the fault that this is one of many about, and what those were
    answered who had reported it before."""
    incident = details.get("incident")
    if not incident:
        return None
    said = {"title": incident["title"], "text": incident["text"]}
    if incident.get("answer"):
        at = local(datetime.fromisoformat(incident["answered_at"]))
        said |= {"answer": incident["answer"], "answered_at": at}
    return said


def _promise(clock: str, one: dict[str, Any], wording: Wording) -> dict[str, Any]:
    due = local(datetime.fromisoformat(one["due"]))
    made = {
        "clock": clock,
        "due": due,
        "due_text": wording.due(one["due"]),
        "first_due": local(datetime.fromisoformat(one["first_due"])),
        "status": one["status"],
    }
    if reason := wording.reason(one.get("reason")):
        made["reason"] = reason
    if (moved := _moved(one)) is not None:
        made["moved"] = moved
    return made


def _moved(one: Mapping[str, Any]) -> str | None:
    """``later`` or ``earlier`` than was promised first; None: neither.

    What begins anew has a promise of its own: that its date is before the first one, which may
    have been kept, is no news."""
    due, first = (as_read(datetime.fromisoformat(one[name])) for name in ("due", "first_due"))
    if due > first:
        return "later"
    return "earlier" if due < first and one.get("cycle", 1) == 1 else None


_THROUGH = "case.answered_through"
_MINE = {
    "feedback.received": "text",
    "feedback.supplemented": "text",
    "feedback.rated": "comment",
    "feedback.reopen_requested": "reason",
    "feedback.appealed": "reason",
}
_THEIRS = {
    "case.info_requested": "question",
    "case.progressed": "text",
    "case.replied": "text",
    _THROUGH: "text",
    "case.rejected": "reason",
    "case.appeal_upheld": "reason",
    "case.appeal_dismissed": "reason",
}
_BEGINS_AGAIN = frozenset(
    {"case.reopened", "case.restored", "case.unmerged", "case.appeal_upheld", "case.replied"}
)
_HOLDS = frozenset({"case.opened", "case.accepted", "case.assigned", "case.reply_submitted"})
"""What is true from then on until something of `_MOVES` happens."""
_MOVES = _BEGINS_AGAIN | {
    "case.dispatched",
    "case.returned",
    "case.recalled",
    "case.info_requested",
    "case.waiting_external",
    "case.resumed",
    "case.appealed",
}
_FOR_ALL = frozenset({"case.progressed", "case.replied", _THROUGH})
"""What the library says to everybody who follows a case; a question is for one of them."""


def _said(line: Line, wording: Wording) -> dict[str, Any] | None:
    field = _MINE.get(line.type)
    if field and line.data.get(field):
        sent = {"pictures": line.data["pictures"]} if line.data.get("pictures") else {}
        return {"at": local(line.at), "who": "me", "text": line.data[field], **sent}
    if field := _THEIRS.get(line.type):
        rests = {name: line.data[name] for name in ("outcome", "rule") if line.data.get(name)}
        code = line.data.get("department")
        name = wording.answerer(code) if line.type in _FOR_ALL else wording.department(code)
        return {
            "at": local(line.at),
            "who": "library",
            "text": line.data[field],
            "department_name": name or None,
            **rests,
        }
    return None
