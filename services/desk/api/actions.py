"""One action of staff on a case: lock, check, read the body, decide, write."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from services.desk import store
from services.desk.api import related
from services.desk.api.bodies import BODIES, Body, NoBody, ReplyToAll, with_offset
from services.desk.api.mentions import mentioned
from services.desk.api.named import with_other_named
from services.desk.api.splitting import begin_parts, read_parts
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.domain import (
    Action,
    ActionInput,
    Case,
    Change,
    StaysApart,
    Viewer,
    advance,
    allowed_actions,
    check,
    permitted,
    sees,
    who_is,
)
from services.desk.store import CaseRow, drafts, mentions, people
from services.desk.store.messages import StaffWords, just_said
from services.desk.store.related import GroupChanged
from services.desk.store.review_rules import with_review
from shared.contracts import Actor
from shared.contracts.desk import CaseReplied
from shared.contracts.refusal import Conflict, NotFound, Unacceptable
from shared.ids import id_as_typed
from shared.messaging.transaction import Transaction
from shared.service import Service
from shared.web.auth import Staff
from shared.web.bodies import ParsedBody, checked


@dataclass(frozen=True, slots=True)
class _Kept:
    """What becomes of the words of an action besides the event that carries them masked."""

    kind: str | None
    """As what they are kept among the messages of the case; None: not among them."""
    field: str = "text"
    public: bool = False
    """The reporter gets them word for word."""


_KEPT = {
    Action.NOTE: _Kept("note"),
    Action.SEND_BACK: _Kept("send_back"),
    Action.FOLLOW_UP: _Kept("follow_up"),
    Action.SUBMIT: _Kept(None),
    Action.PROGRESS: _Kept("progress", public=True),
    Action.AMEND: _Kept("progress", public=True),
    Action.REPLY: _Kept("reply", public=True),
    Action.ANSWER_INCIDENT: _Kept("reply", public=True),
    Action.APPROVE: _Kept("reply", public=True),
    Action.ASK: _Kept("question", public=True),
    Action.REJECT: _Kept("rejection", "reason", public=True),
    Action.UPHOLD: _Kept("verdict", "reason", public=True),
    Action.DISMISS: _Kept("verdict", "reason", public=True),
}
_ENDS_DRAFT = frozenset({Action.REPLY, Action.APPROVE, Action.AMEND})
_CHANGES_WHAT_IT_IS = frozenset({Action.DISPATCH, Action.CORRECT})
_OVERWRITES_NOTHING = frozenset({Action.NOTE})
_AT = re.compile(r"@((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})")
LOOKS = 5
"""How often it is tried anew, when cases are joined and parted at the same time."""
CHANGED = (
    "您看的时候，这一件有了变化。请先看看最新的情况再做。",
    "This matter changed while you were looking at it. Please look again first.",
)


async def do(
    service: Service,
    person: Staff,
    feedback_id: str,
    action: Action,
    parsed: ParsedBody,
    if_match: str | None,
) -> None:
    """Do `action` in one transaction. 404, 403, 409, 422 in this order."""
    for _ in range(LOOKS):
        try:
            async with service.transaction() as tx:
                await act(tx, viewer_of(person), feedback_id, action, parsed, if_match)
            return
        except GroupChanged:
            continue
    raise Conflict(*CHANGED, allowed=await _possible(service, person, feedback_id))


async def _possible(service: Service, person: Staff, feedback_id: str) -> list[str]:
    """What this person could do now with a case that they see."""
    async with service.transaction() as tx:
        await store.load(tx, [feedback_id])
        row = store.find(tx, feedback_id)
        case = store.case_of(row) if row is not None else None
    return sorted(allowed_actions(case, viewer_of(person).actors, tx.now)) if case else []


_FETCHED_BACK = (
    "这件事现在不归您办了：可能被取回，或者转给了别的部门。您写的草稿还在，转回来可以接着写。",
    "This case is not yours any more: it was fetched back or passed on. "
    "Your draft is kept, in case it comes back.",
)


async def act(
    tx: Transaction,
    viewer: Viewer,
    feedback_id: str,
    action: Action,
    parsed: ParsedBody,
    if_match: str | None = None,
) -> Case | None:
    """The same in `tx`; gives the case as it was before, or None where nothing had to be done.

    `GroupChanged`: begin again in another transaction.
    """
    named = await with_other_named(tx, viewer, action, parsed.fields, of=feedback_id)
    parsed = replace(parsed, fields=named)
    await related.lock(tx, feedback_id, action, named)
    row = store.find(tx, feedback_id)
    if row is None or not sees(viewer, row):
        # Who was writing when it was fetched back knows of it: the words are still there.
        wrote = row is not None and await drafts.has(tx, feedback_id, viewer.username)
        raise NotFound(*_FETCHED_BACK) if wrote else NotFound()
    case = store.case_of(row)
    try:
        return await _act(tx, viewer, row, case, action, parsed, if_match)
    except Conflict as conflict:
        # Also where another case stands in the way: what can be done with this one.
        possible = set(allowed_actions(case, viewer.actors, tx.now))
        if isinstance(conflict, StaysApart):
            possible.discard(action)
        conflict.allowed = conflict.allowed or sorted(possible)
        raise


async def _act(
    tx: Transaction,
    viewer: Viewer,
    row: CaseRow,
    case: Case,
    action: Action,
    parsed: ParsedBody,
    if_match: str | None,
) -> Case | None:
    feedback_id = row.feedback_id
    able = any(action in permitted(who_is(actor)) for actor in viewer.actors)
    if able and related.is_repeated(tx, case, action, parsed.fields):
        return None
    by = check(case, action, by=viewer.actors, at=tx.now).by
    values = with_offset(parsed)
    if action not in _OVERWRITES_NOTHING:
        _refuse_stale(case, values, if_match)
    if action is Action.ANSWER_INCIDENT:
        # Whoever was joined to it gets the same words, whatever they read.
        text = checked(ReplyToAll, values).read_by(row.locale, others=bool(case.merged))
        values = values | {"text": text}
    body: Body = checked(BODIES.get(action, NoBody), values)
    fields, written = await _fields(tx, row, case, body)
    fields = await related.resolve(tx, viewer, case, fields)
    parts = await read_parts(tx, row, fields.pop("parts", ()))
    if action is Action.NOTE:
        if await just_said(tx, feedback_id, "note", fields["text"], by):
            return None
        fields["mentions"] = await mentioned(tx, viewer, row, fields["mentions"], values["text"])
        mentions.seen(tx, feedback_id, viewer.username)
        mentions.add(tx, feedback_id, fields["mentions"])
    if action is Action.FOLLOW_UP:
        fields["again"] = await store.asked_before(tx, feedback_id, case.replied_at)
    words = written.get(_KEPT[action].field) if action in _KEPT else None
    given = ActionInput(
        **fields,
        words_id=words.words_id if words else None,
        parts=tuple(written.part for written in parts),
    )
    change = advance(case, action, given, by=by, at=tx.now)
    related.check_confidence(tx, row, case, change.case)
    if action in _CHANGES_WHAT_IT_IS:
        change = await with_review(tx, change)
    if action in _KEPT:
        await _keep_words(tx, case, action, words, change, by)
    if given.title is not None:
        await store.retitle(tx, feedback_id, written["title"])
    if action is Action.SUBMIT:
        _keep_as_draft(tx, row, viewer.username, body, given)
    elif action in _ENDS_DRAFT:
        for writer in {viewer.username, case.review.by if case.review else viewer.username}:
            drafts.delete(tx, feedback_id, writer)
    store.keep(tx, row, change)
    await begin_parts(tx, row, parts, by)
    await related.effects(tx, row, case, action, given, change, by)
    return case


def _keep_as_draft(
    tx: Transaction, row: CaseRow, writer: str, body: Any, given: ActionInput
) -> None:
    """What is sent back is written on from where it was."""
    text = given.text if row.erased else body.text
    outcome = given.outcome.value if given.outcome else None
    drafts.keep(tx, row.feedback_id, writer, text, outcome, given.rule)


async def _fields(
    tx: Transaction, row: CaseRow, case: Case, body: Body
) -> tuple[dict[str, Any], dict[str, StaffWords]]:
    """The fields of the body as the domain takes them, masked, and the words as written.

    Names are looked up here.
    """
    fields = body.model_dump(exclude_none=True)
    written = {}
    # Why it is joined stands in its own record: nothing of whom it is joined to.
    into = [id_as_typed(fields["into"])] if "into" in fields else []
    for name in body.words:
        if name in fields:
            own = deps_of(tx).own_addresses
            if name == "instead":
                # An office elsewhere: its address is what the reader is sent to.
                own = own | frozenset(_AT.findall(fields[name].lower()))
            written[name] = await store.staff_words(tx, row, fields[name], own, *into)
            fields[name] = written[name].masked
    for name in ("department", "suggest"):
        if name in fields and await people.department(tx, fields[name]) is None:
            raise _wrong(name, "没有这个部门。", "There is no such department.")
    if "category" in fields and await people.category(tx, fields["category"]) is None:
        raise _wrong("category", "没有这个类别。", "There is no such category.")
    if "to" in fields:
        staff_there = {p.username: p for p in await people.staff_of(tx, case.department or "")}
        if (chosen := staff_there.get(people.account_name(fields["to"]))) is None:
            raise _wrong("to", "本部门没有这个账号。", "Nobody of this department.")
        fields |= {"to": chosen.username, "to_display": chosen.display}
    return fields, written


async def _keep_words(
    tx: Transaction,
    case: Case,
    action: Action,
    words: StaffWords | None,
    change: Change,
    by: Actor,
) -> None:
    """Among the messages, and as they were written for those who may read that."""
    kept = _KEPT[action]
    reply = next((e for e in change.events if isinstance(e, CaseReplied)), None)
    if words is not None:
        store.keep_as_written(tx, case.feedback_id, words, publish=kept.public)
    elif action is Action.APPROVE and case.review is not None and case.review.words_id is not None:
        await store.publish_as_written(tx, case.feedback_id, case.review.words_id)
    text = words.masked if words is not None else reply.text if reply is not None else ""
    if kept.kind is not None and text:
        store.write(
            tx,
            case.feedback_id,
            kept.kind,
            text,
            by=by,
            outcome=str(reply.outcome) if reply is not None else None,
            rule=reply.rule if reply is not None else None,
            words_id=reply.words_id if reply else words.words_id if words else None,
        )


def _wrong(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})


def _refuse_stale(case: Case, values: dict[str, Any], if_match: str | None) -> None:
    """409 where the page that asks showed an older case than there is now."""
    seen = if_match if if_match is not None else values.get("version", values.get("seen"))
    if seen in (None, "", "*"):
        return
    plain = str(seen).strip().removeprefix("W/").strip('"')
    if not (plain.isascii() and plain.isdigit()) or isinstance(seen, bool):
        raise _wrong("version", "版本号须为数字。", "The version must be a number.")
    if plain.lstrip("0") != str(case.version):
        raise Conflict(*CHANGED, allowed=[])
