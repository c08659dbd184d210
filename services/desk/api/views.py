"""Cases as they are shown: list rows, and the whole of one, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk.domain import (
    Alarm,
    Case,
    Part,
    Viewer,
    allowed_actions,
    sees,
    sees_contact,
    sees_pictures,
    sees_words,
)
from services.desk.domain.hints import hidden, hints, in_another_language, without_them
from services.desk.domain.promises import NOT_ON_TOP, ON_TOP, asks_for_date, running
from services.desk.domain.reaching import nobody_rang, only_a_telephone, unreached
from services.desk.store.reading import CaseDetail
from services.desk.store.tables import INTERNAL
from services.desk.wording import actor_name, sentence
from services.desk.wording.reaching import why_unreached
from shared.contracts import Actor
from shared.contracts.vocabulary import ALARM_NAMES, ENDED, State
from shared.messaging.directory import Directory
from shared.moments import due_words, local

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ViewContext:
    """Who looks, when, in which language, with which names at hand."""

    viewer: Viewer
    now: datetime
    locale: str
    directory: Directory
    own: Collection[str] = ()
    """Addresses of the library."""
    picture_at: Callable[[str], str] | None = None
    """Where a picture is shown for the next minutes, by its id."""

    def department(self, code: str | None) -> str:
        return self.directory.department_name(code, self.locale)

    def person(self, username: str | None, display: str | None = None) -> str | None:
        listed = self.directory.people.get(username or "")
        return display or (listed.display if listed else username)


def item(row: Mapping[str, Any], context: ViewContext) -> Answer:
    """A row of the list."""
    due = running(row["promises"])
    alarmed = row["next_due_at"] < ON_TOP
    # What is alarmed ranks before all, whatever was promised: whether that broke is asked apart.
    late = any(at <= context.now for at in due.values())
    return {
        "feedback_id": row["feedback_id"],
        "title": row["title"],
        "state": row["state"],
        "split": shows_split(row),
        "department": row["department"],
        "department_name": context.department(row["department"]) or None,
        "category": row["category"],
        "priority": row["priority"],
        "type": row["case_type"],
        "received_at": local(row["received_at"]),
        "due": {clock: local(at) for clock, at in due.items()},
        "overdue": late if alarmed else NOT_ON_TOP < row["next_due_at"] <= context.now,
        "words_owed": row["words_owed_since"] is not None,
        "reasons_owed": row["reasons_owed"],
        "place": row["place"],
        "channel": row["channel"],
        "assignee": row["assignee"],
        "assignee_name": context.person(row["assignee"], row["assignee_name"]),
        "urged": row["urged"],
        "confidential": row["confidential"],
        "incident": row["incident_id"],
        "alarmed": alarmed,
    }


def shows_split(row: Mapping[str, Any]) -> bool:
    """Whether it goes on as its parts: of the same state as what was joined to another case."""
    return row["state"] == State.MERGED and row["merged_into"] is None and bool(row["children"])


def detail(found: CaseDetail, context: ViewContext) -> Answer:
    """Everything about one case that this viewer may see."""
    row, case = found.row, found.case
    open_words = sees_words(context.viewer, case)
    body = item(row, context) | {
        "text": found.words.text if found.words else "",
        "pictures": _pictures(found, case, context, None),
        "anonymous": row["anonymous"],
        "on_behalf": row["on_behalf"],
        "on_behalf_of": None,
        "entered_by": row["entered_by"],
        "occurred_at": local(row["occurred_at"]),
        "locale": row["locale"],
        "binding": row["binding"],
        "cycle": row["cycle"],
        "version": row["version"],
        "why": _why(found, context),
        "promises": _promises(row["promises"], context),
        "date_asked": case.department is not None and asks_for_date(row["promises"], context.now),
        "timeline": _timeline(found, context),
        "unreached": _unreached(found, context),
        **_ringing(found, case, context),
        "notes": [
            _written(found, m, open_words=open_words) | {"kind": m.kind}
            for m in found.messages
            if m.kind in INTERNAL
        ],
        "replies": [
            _written(found, m, open_words=open_words) | {"outcome": m.outcome, "rule": m.rule}
            for m in found.messages
            if m.kind == "reply"
        ],
        "conversation": _conversation(found, case, context, open_words=open_words),
        "may": allowed_actions(case, context.viewer.actors, context.now)
        if sees(context.viewer, case)
        else [],
    }
    body |= _work(found, case, context, open_words=open_words)
    if open_words and found.private is not None:
        body["text"] = found.private.text or body["text"]
        body["title"] = found.private.title or body["title"]
    if found.private is not None and sees_contact(context.viewer, case):
        contact = dict(found.private.contact)
        if contact.pop("wechat_openid", None):
            contact["wechat"] = contact.get("wechat_account") or "wechat"
        contact.pop("wechat_account", None)
        body["contact"] = contact or None
        body["on_behalf_of"] = found.private.on_behalf_of
    return body


def _work(found: CaseDetail, case: Case, context: ViewContext, *, open_words: bool) -> Answer:
    """What is under way: second departments, review, more time, waiting, and what it belongs to."""
    review, extension = case.review, case.extension
    written = found.private_words.get(review.words_id or "") if review and open_words else None
    return {
        "co_departments": [
            {
                "department": part.department,
                "department_name": context.department(part.department),
                "question": part.question,
                "state": _part_state(case, part),
                "text": part.text,
            }
            for part in case.parts
        ],
        "returned_by": list(case.returned_by),
        "waiting_for": case.waiting_for,
        "waiting_until": local(case.waiting_until),
        "extension": extension
        and {
            "until": local(extension.until),
            "reason": extension.reason,
            "state": extension.state,
            "by": context.person(extension.by),
            "by_me": extension.by == context.viewer.username,
            "asked_at": local(extension.asked_at),
            "answer": extension.answer or None,
        },
        "review": review
        and {
            "by": review.by,
            "by_name": context.person(review.by),
            "at": local(review.at),
            "text": written or review.text,
            "outcome": review.outcome,
            "rule": review.rule,
            "reason": review.reason,
            "hints": hints_on(
                written or review.text,
                review.rule,
                case.category,
                context,
                unanswered=case.open_parts,
                as_typed=written is not None,
                english=reads_english(found.row["locale"]),
            ),
        },
        "sent_back": _sent_back(found, case, context, open_words=open_words),
        "needs_review": case.needs_review,
        "merged_into": case.merged_into,
        "merged": list(case.merged),
        "parent": case.parent,
        "children": list(case.children) if case.state is State.MERGED else [],
        "links": list(case.links),
        "desk": found.row["desk"],
        "supervised_at": local(case.supervised_at),
        "alarm": _alarm(case.alarm, context),
        "draft": _draft(found, context),
        "assignee_away": _away(case.assignee, context),
        "mentioned": any(one.username == context.viewer.username for one in found.mentions),
    }


def _sent_back(
    found: CaseDetail, case: Case, context: ViewContext, *, open_words: bool
) -> Answer | None:
    """That a reply is to be changed, who says so, and what they want of it."""
    if case.sent_back is None:
        return None
    comments = [m for m in found.messages if m.kind == "send_back"]
    said = _written(found, comments[-1], open_words=open_words) if comments else {"text": ""}
    return {
        "by": case.sent_back.by,
        "by_name": context.person(case.sent_back.by),
        "at": local(case.sent_back.at),
        "comment": said["text"],
    }


def _alarm(alarm: Alarm | None, context: ViewContext) -> Answer | None:
    """That it may be an emergency, why, and what people said of it."""
    if alarm is None:
        return None
    english = context.locale == "en"
    return {
        "at": local(alarm.at),
        "found_by": alarm.found_by,
        "kind": alarm.kind,
        "kind_name": ALARM_NAMES[alarm.kind][english] if alarm.kind in ALARM_NAMES else None,
        "sure": alarm.sure,
        "reasons": _reasons(alarm.reasons, context),
        "answered_at": local(alarm.answered_at),
        "emergency": alarm.emergency,
    }


def _reasons(reasons: Iterable[Mapping[str, Any]], context: ViewContext) -> list[Answer]:
    """The reasons of routing, in the reader's language; what two rules say alike stands once, with
    the greater weight."""
    found: dict[str, float] = {}
    for one in reasons:
        text = one.get("text_en") or one["text"] if context.locale == "en" else one["text"]
        found[text] = max(one["weight"], found.get(text, one["weight"]))
    return [{"text": text, "weight": weight} for text, weight in found.items()]


def _part_state(case: Case, part: Part) -> str:
    if part.text is not None:
        return "finished"
    return "open" if part.department in case.open_parts else "not_needed"


def _away(username: str | None, context: ViewContext) -> Answer | None:
    """Until when somebody is away, and who stands in."""
    listed = context.directory.people.get(username or "")
    if listed is None or not listed.is_away(context.now):
        return None
    substitute = context.directory.substitute(listed, context.now)
    return {
        "until": local(listed.away_until),
        "substitute": substitute,
        "substitute_name": context.person(substitute),
    }


def hints_on(
    text: str,
    rule: str | None,
    category: str | None,
    context: ViewContext,
    *,
    unanswered: Sequence[str] = (),
    as_typed: bool = True,
    english: int = 0,
) -> list[Answer]:
    """What a reply lacks, in the reader's language; `unanswered`: departments asked for a part,
    `english`: how many will read it who read English. Of words that are not shown `as_typed` nobody
    can tell what is masked in them."""
    cites_rules = category in context.directory.category_rules
    found = hints(text, rule=rule, cites_rules=cites_rules, own=context.own, english=english)
    found = [one for one in found if as_typed or one[0] != "masked"]
    found += without_them([context.department(code) for code in unanswered])
    return [{"code": code, "text": en if context.locale == "en" else zh} for code, zh, en in found]


def hints_on_words(text: str, context: ViewContext, *, english: int = 0) -> list[Answer]:
    """What other words to a reporter lack: that they are in another language, or that their page
    will not show them whole."""
    found = in_another_language(text, english) + hidden(text, context.own)
    return [{"code": code, "text": en if context.locale == "en" else zh} for code, zh, en in found]


def _draft(found: CaseDetail, context: ViewContext) -> Answer | None:
    """What this viewer has written so far; nobody else's."""
    for one in found.drafts:
        if one.username == context.viewer.username:
            return {
                "text": one.text,
                "outcome": one.outcome,
                "rule": one.rule,
                "saved_at": local(one.saved_at),
            }
    return None


def reads_english(locale: str) -> int:
    """One where this is the language of a reporter who reads English, else none."""
    return int(locale == "en")


def shows_person(body: Answer) -> bool:
    """Whether an answer carries who it is: then the look goes on record."""
    return bool(body.get("contact") or body.get("on_behalf_of"))


def _why(found: CaseDetail, context: ViewContext) -> Answer | None:
    decision, decided = found.decision, found.case.decided
    if decision is None:
        if decided is None:
            return None
        return {"decided": decided, "confidence": None, "reasons": [], "candidates": []}
    return {
        "decided": decided or decision.decided,
        "confidence": decision.confidence,
        "reasons": _reasons(decision.reasons, context),
        "candidates": [_candidate(one, context) for one in decision.candidates],
    }


def _candidate(one: Answer, context: ViewContext) -> Answer:
    """A department it could go to, by name; and whose it seems to be, where it is not ours."""
    names = {"department_name": context.department(one["department"])}
    if unit := one.get("unit_en" if context.locale == "en" else "unit"):
        names["unit_name"] = unit
    return one | names


def _promises(promises: Mapping[str, Any], context: ViewContext) -> list[Answer]:
    return [
        {
            "clock": clock,
            "due": local(one["due"]),
            "due_text": due_words(one["due"], context.now, context.locale),
            "first_due": local(one["first_due"]),
            "status": one["status"],
            "cycle": one["cycle"],
        }
        for clock, one in sorted(
            promises.items(), key=lambda pair: datetime.fromisoformat(pair[1]["due"])
        )
    ]


def _timeline(found: CaseDetail, context: ViewContext) -> list[Answer]:
    return [
        _line(t.seq, t.at, t.type, t.data, Actor.model_validate(t.by), context)
        for t in found.timeline
    ]


def _unreached(found: CaseDetail, context: ViewContext) -> Answer | None:
    """The last words to the reporter, where they have not arrived or nobody knows, and why."""
    line = None if found.row["erased"] else unreached(found.timeline)
    if line is None:
        return None
    uncertain, reason = bool(line.data.get("uncertain")), str(line.data.get("reason", ""))
    return {
        "at": local(line.at),
        "kind": line.data["kind"],
        "text": sentence(line.type, line.data, context.department, context.locale),
        "why": why_unreached(reason, uncertain=uncertain, locale=context.locale),
        "uncertain": uncertain,
        # None in a line that was written before this was kept.
        "delivery_id": line.data.get("delivery_id"),
    }


def _ringing(found: CaseDetail, case: Case, context: ViewContext) -> Answer:
    """``{only_phone, to_ring}``: that this reporter can only be rung, and the last words to them
    of which nobody has told them so far."""
    contact = found.private.contact if found.private is not None and not case.anonymous else {}
    if not only_a_telephone(contact):
        return {"only_phone": False, "to_ring": None}
    line = None if case.state in ENDED else nobody_rang(found.timeline)
    asked = line is not None and line.type == "case.info_requested"
    return {
        "only_phone": True,
        "to_ring": line and {"at": local(line.at), "kind": "question" if asked else "words"},
    }


def _line(
    seq: int, at: datetime, kind: str, data: Mapping[str, Any], by: Actor, context: ViewContext
) -> Answer:
    if category := context.directory.categories.get(data.get("category") or ""):
        data = {**data, "category_names": category[:2]}
    if mentions := data.get("mentions"):
        data = {**data, "mentioned": "、".join(context.person(one) or one for one in mentions)}
    return {
        "seq": seq,
        "at": local(at),
        "type": kind,
        "text": sentence(kind, data, context.department, context.locale),
        "by": actor_name(by, context.locale, context.person(by.substitute_for)),
    }


def _written(found: CaseDetail, message: Any, *, open_words: bool) -> Answer:
    text = _text(found, message, open_words=open_words)
    return {"at": local(message.at), "by": message.by, "text": text}


def _text(found: CaseDetail, message: Any, *, open_words: bool) -> str:
    """The words of a message: as they were written, for those who may read that."""
    text: str = message.text
    if open_words and message.words_id:
        text = found.private_words.get(message.words_id) or text
    return text


def _pictures(
    found: CaseDetail, case: Case, context: ViewContext, message_id: str | None
) -> list[Answer]:
    """``{picture_id, width, height}`` of what came with a message; and `url` for who may look."""
    at = context.picture_at if sees_pictures(context.viewer, case) else None
    return [
        {"picture_id": one.picture_id, "width": one.width, "height": one.height}
        | ({"url": at(one.picture_id)} if at is not None else {})
        for one in found.pictures
        if one.message_id == message_id
    ]


def _conversation(
    found: CaseDetail, case: Case, context: ViewContext, *, open_words: bool
) -> list[Answer]:
    lines = []
    for message in found.messages:
        if message.kind in INTERNAL:
            continue
        lines.append(
            {
                "at": local(message.at),
                "who": "library"
                if message.by is not None
                else "another"
                if message.origin
                else "me",
                "origin": message.origin,
                "by": message.by,
                "kind": message.kind,
                "text": _text(found, message, open_words=open_words),
                "pictures": _pictures(found, case, context, message.message_id),
                "outcome": message.outcome,
                "rule": message.rule,
            }
        )
    return lines
