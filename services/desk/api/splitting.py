"""A comment about several matters becomes several cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.desk import store
from services.desk.deps import deps_of
from services.desk.domain import Case, SplitPart, first_words, is_confidential, rights_of
from services.desk.domain.deciding import wrong
from services.desk.domain.search import findable_private
from services.desk.store import CaseRow, PrivateRow, people, related
from services.desk.store.messages import StaffWords
from shared.contracts import Actor
from shared.contracts.desk import CaseSplitOff
from shared.contracts.intake import Contact
from shared.contracts.vocabulary import Channel, State
from shared.ids import new_id
from shared.messaging.row_buffer import values_of
from shared.messaging.transaction import Transaction


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part as the log may have it, and its words as they were written."""

    part: SplitPart
    text: StaffWords
    title: StaffWords


async def read_parts(
    tx: Transaction, row: CaseRow, parts: Iterable[dict[str, Any]]
) -> tuple[WrittenPart, ...]:
    """The parts as somebody of staff wrote them, masked with what is known of the reporter."""
    own, found = deps_of(tx).own_addresses, []
    for given in parts:
        category = given.get("category")
        if category is not None and await people.category(tx, category) is None:
            raise wrong("parts", "没有这个类别。", "There is no such category.")
        text = await store.staff_words(tx, row, given["text"], own)
        title = await store.staff_words(tx, row, given.get("title") or "", own)
        part = SplitPart(
            feedback_id=new_id(), text=text.masked, title=title.masked, category=category
        )
        found.append(WrittenPart(part, text, title))
    return tuple(found)


async def begin_parts(
    tx: Transaction, row: CaseRow, parts: tuple[WrittenPart, ...], by: Actor
) -> None:
    """Each part is a case in triage, as old as the whole and with its reporter."""
    if not parts:
        return
    await tx.rows(PrivateRow).load([row.feedback_id])
    private = tx.rows(PrivateRow).get(row.feedback_id)
    group = await related.reporter_group(tx, row.feedback_id)
    pictures = await store.pictures_of_comment(tx, row.feedback_id)
    for written in parts:
        part = written.part
        tx.begin_case(part.feedback_id)
        child = _row(tx, row, part)
        case = store.case_of(child)
        event = CaseSplitOff(
            feedback_id=part.feedback_id,
            at=tx.now,
            by=by,
            rights=rights_of(case),
            parent=row.feedback_id,
            received_at=row.received_at,
            channel=Channel(row.channel),
            title=part.title,
            text=part.text,
            category=part.category,
            place=row.place,
            locale=row.locale,
            anonymous=row.anonymous,
            confidential=child.confidential,
            code_hash=row.code_hash,
            reachable=_reachable(private, row),
            reporter_group=group,
        )
        store.keep_words(tx, part.feedback_id, part.title, part.text, place=row.place)
        _keep_private(tx, private, written)
        store.begin(tx, child, event)
        if child.confidential or not row.confidential:
            # Which of the matters one shows nobody says; what is confidential is shown to no more.
            store.keep_pictures(tx, child, pictures, origin=row.feedback_id)


def _row(tx: Transaction, whole: CaseRow, part: SplitPart) -> CaseRow:
    """The case of a part: what was known of the whole when it came, and nothing of its way."""
    came_with = {name: value for name, value in values_of(whole).items() if name in _CAME_WITH}
    return tx.rows(CaseRow).new(
        **came_with,
        feedback_id=part.feedback_id,
        state=str(State.TRIAGE),
        parent=whole.feedback_id,
        category=part.category,
        title=part.title or first_words(part.text),
        confidential=_confidential(whole, part),
    )


def _confidential(whole: CaseRow, part: SplitPart) -> bool:
    """What only the category of the whole demanded is decided anew by that of the part."""
    if part.category is None:
        return whole.confidential
    case = Case(feedback_id=part.feedback_id, confidence_asked=whole.confidence_asked)
    return is_confidential(case, part.category)


_CAME_WITH = frozenset(
    {
        "channel",
        "place",
        "desk",
        "locale",
        "received_at",
        "occurred_at",
        "anonymous",
        "confidence_asked",
        "on_behalf",
        "entered_by",
        "code_hash",
        "erased",
    }
)


def _keep_private(tx: Transaction, private: PrivateRow | None, written: WrittenPart) -> None:
    if private is None:
        return
    words = findable_private(written.title.written, written.text.written)
    differs = (written.text.words_id or written.title.words_id) is not None
    rows = tx.rows(PrivateRow)
    rows.upsert(
        rows.new(
            feedback_id=written.part.feedback_id,
            title=written.title.written,
            text=written.text.written,
            contact=private.contact,
            on_behalf_of=private.on_behalf_of,
            search_words=words if differs else "",
            search_person=private.search_person,
        )
    )


def _reachable(private: PrivateRow | None, row: CaseRow) -> tuple[str, ...]:
    if private is None:
        return ()
    contact = Contact.model_validate(private.contact)
    ways = (("email", contact.email), ("wechat", contact.wechat_openid))
    only_phone = ("phone",) if contact.phone and not row.anonymous else ()
    return tuple(name for name, address in ways if address) or only_phone
