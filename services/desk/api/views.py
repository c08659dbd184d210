"""Cases as they are shown: list rows, and the whole of one, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk.domain import Viewer, possible, sees, sees_contact, sees_words
from services.desk.domain.promises import running, status_of
from services.desk.domain.sentences import actor_name, kept_of, sentence
from services.desk.store import CaseRow, case_of
from services.desk.store.reading import Whole
from shared.contracts import REGISTER, Actor, short_type
from shared.messaging.directory import Directory
from shared.web.moments import LOCAL, due_words, moment

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks, when, in which language, with which names at hand."""

    viewer: Viewer
    now: datetime
    locale: str
    directory: Directory

    def department(self, code: str | None) -> str:
        return self.directory.department_name(code, self.locale)

    def person(self, username: str | None, display: str | None = None) -> str | None:
        listed = self.directory.people.get(username or "")
        return display or (listed.display if listed else username)


def local(at: datetime | str | None) -> str | None:
    """RFC 3339, on the library's own clock."""
    known = moment(at)
    return known.astimezone(LOCAL).isoformat() if known else None


def item(row: Mapping[str, Any], eyes: Eyes) -> Answer:
    """A row of the list."""
    return {
        "feedback_id": row["feedback_id"],
        "title": row["title"],
        "state": row["state"],
        "department": row["department"],
        "department_name": eyes.department(row["department"]) or None,
        "category": row["category"],
        "priority": row["priority"],
        "type": row["case_type"],
        "received_at": local(row["received_at"]),
        "due": {clock: local(due) for clock, due in running(row["promises"]).items()},
        "overdue": row["breaks_at"] <= eyes.now,
        "place": row["place"],
        "channel": row["channel"],
        "assignee": row["assignee"],
        "assignee_name": eyes.person(row["assignee"], row["assignee_name"]),
        "urged": row["urged"],
        "confidential": row["confidential"],
    }


def whole(found: Whole, eyes: Eyes) -> Answer:
    """Everything about one case that these eyes may see."""
    row: Mapping[str, Any] = found.case._mapping
    case = case_of(CaseRow(**row))
    open_words = sees_words(eyes.viewer, case) and found.private is not None
    body = item(row, eyes) | {
        "text": found.words.text if found.words else "",
        "anonymous": row["anonymous"],
        "on_behalf": row["on_behalf"],
        "entered_by": row["entered_by"],
        "occurred_at": local(row["occurred_at"]),
        "locale": row["locale"],
        "binding": row["binding"],
        "cycle": row["cycle"],
        "version": row["version"],
        "why": _why(found, eyes),
        "promises": _promises(row["promises"], eyes),
        "timeline": _timeline(found, eyes),
        "notes": [_written(m) for m in found.messages if m.kind == "note"],
        "replies": [
            _written(m) | {"outcome": m.outcome} for m in found.messages if m.kind == "reply"
        ],
        "conversation": _conversation(found, open_words=open_words),
        "may": possible(case, eyes.viewer.role, eyes.now) if sees(eyes.viewer, case) else [],
    }
    if open_words:
        body["text"] = found.private.text or body["text"]
        body["title"] = found.private.title or body["title"]
    if found.private is not None and sees_contact(eyes.viewer, case):
        contact = dict(found.private.contact)
        if contact.pop("wechat_openid", None):
            contact["wechat"] = contact.get("wechat_account") or "wechat"
        contact.pop("wechat_account", None)
        body["contact"] = contact or None
        body["on_behalf_of"] = found.private.on_behalf_of
    return body


def shows_person(body: Answer) -> bool:
    """Whether an answer carries who it is: then the look goes on record."""
    return bool(body.get("contact") or body.get("on_behalf_of"))


def _why(found: Whole, eyes: Eyes) -> Answer | None:
    decision, decided = found.decision, found.case.decided
    if decision is None:
        if decided is None:
            return None
        return {"decided": decided, "confidence": None, "reasons": [], "candidates": []}
    return {
        "decided": decided or decision.decided,
        "confidence": decision.confidence,
        "reasons": [
            {
                "text": r.get("text_en") or r["text"] if eyes.locale == "en" else r["text"],
                "weight": r["weight"],
            }
            for r in decision.reasons
        ],
        "candidates": [
            c | {"department_name": eyes.department(c["department"])} for c in decision.candidates
        ],
    }


def _promises(promises: Mapping[str, Any], eyes: Eyes) -> list[Answer]:
    return [
        {
            "clock": clock,
            "due": local(one["due"]),
            "due_text": due_words(one["due"], eyes.now, eyes.locale),
            "first_due": local(one["first_due"]),
            "status": status_of(one),
            "cycle": one["cycle"],
        }
        for clock, one in sorted(promises.items(), key=lambda pair: str(pair[1]["due"]))
    ]


def _timeline(found: Whole, eyes: Eyes) -> list[Answer]:
    lines = [
        _line(t.seq, t.at, t.type, t.data, Actor.model_validate(t.by), eyes) for t in found.timeline
    ]
    for pending in found.pending:
        event = REGISTER[pending.ce_type].model_validate_json(pending.body)
        kind = short_type(pending.ce_type)
        lines.append(_line(len(lines) + 1, event.at, kind, kept_of(event), event.by, eyes))
    return lines


def _line(
    seq: int, at: datetime, kind: str, data: Mapping[str, Any], by: Actor, eyes: Eyes
) -> Answer:
    return {
        "seq": seq,
        "at": local(at),
        "type": kind,
        "text": sentence(kind, data, eyes.department, eyes.locale),
        "by": actor_name(by, eyes.locale),
    }


def _written(message: Any) -> Answer:
    return {"at": local(message.at), "by": message.by, "text": message.text}


def _conversation(found: Whole, *, open_words: bool) -> list[Answer]:
    lines = []
    for message in found.messages:
        if message.kind == "note":
            continue
        text = message.text
        if open_words and message.words_id:
            text = found.private.words.get(message.words_id) or text
        lines.append(
            {
                "at": local(message.at),
                "who": "library" if message.by is not None else "me",
                "by": message.by,
                "kind": message.kind,
                "text": text,
                "outcome": message.outcome,
            }
        )
    return lines
