"""A reply as its reporter will see it, on each of their channels, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request

from services.desk import store
from services.desk.api.bodies import Draft, DraftToAll
from services.desk.api.cases import view_context
from services.desk.api.drafts import hints_on_reply, writable
from services.desk.api.views import ViewContext, hints_on
from services.desk.deps import deps_of
from services.desk.domain import Viewer, sees_words
from services.desk.domain.reaching import only_a_telephone
from services.desk.store import CaseRow, PrivateRow, PrivateWordsRow
from services.desk.store.related import as_written
from shared.messaging.transaction import Transaction
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.letter import ReplyLetter, foundations, office

router = APIRouter(tags=["cases"])

Person = Annotated[Staff, Depends(signed_in)]
LINK = "/track/…"
"""Instead of the reporter's own link: the code in it is theirs alone."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a reply will look like."""

    draft: Draft
    locale: str
    """The reporter's language."""
    hints: list[dict[str, Any]]
    page: dict[str, Any]
    """``{who, text, rests}``: on the page behind the link, masked, as everybody may read it."""
    letters: list[dict[str, Any]]
    """``{channel, subject, text, short}``, the one that is tried first in front."""
    only_phone: bool = False
    """Nothing can be sent, and they can be rung."""
    joined: int = 0
    """How many reporters of joined cases get the same words."""

    @property
    def text(self) -> str:
        return self.draft.text

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "locale": self.locale,
            "hints": self.hints,
            "page": self.page,
            "letters": self.letters,
            "only_phone": self.only_phone,
            "joined": self.joined,
        }


@router.post(
    "/api/cases/{feedback_id}/preview",
    summary="A reply as the reporter will see it",
    openapi_extra=described(Draft),
)
async def preview(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """``{locale, hints, page: {who, text, rests}, letters: [{channel, subject, text, short}],
    only_phone, joined}``: the page behind the link and the letters, in the reporter's language, the
    letter that is tried first in front; none where they can only be rung. `short`: the channel does
    not hold the words, they stand on the page. Of a WeChat message only the text is shown. Without
    `text`, what waits for a review is looked at. Nothing is sent or kept."""
    look = await preview_of(request, person, feedback_id)
    return JSONResponse(look.body(), headers={"Cache-Control": "no-store"})


async def preview_of(request: Request, person: Staff, feedback_id: str) -> Look:
    """The preview of the reply in the body of this request."""
    raw = await read_body(request, late=True, multipart=True)
    context = view_context(request, person)
    url = runtime_of(request).settings.url
    async with service_of(request, "desk").transaction() as tx:
        row = await writable(tx, person, feedback_id, lock=False)
        draft = await _or_reviewed(tx, row, checked(Draft, raw.values()), context.viewer)
        own = deps_of(tx).own_addresses
        rule = (await store.staff_words(tx, row, draft.rule, own)).masked if draft.rule else None
        words = await store.staff_words(tx, row, draft.text, own)
        private = tx.rows(PrivateRow).get(feedback_id)
        part = await _part_of(tx, row)
    contact = private.contact if private else {}
    letter = ReplyLetter(
        text=words.masked if row.erased else words.written,
        locale=row.locale,
        link=f"{url}{LINK}",
        who=context.directory.department_name(row.department, row.locale),
        received_at=row.received_at,
        part=part,
        outcome=draft.outcome,
        rule=rule,
    )
    return Look(
        draft=draft,
        locale=row.locale,
        hints=hints_on_reply(draft, row, context),
        page=on_the_page(letter, words.masked),
        letters=letters(letter, ways(row.channel, contact)),
        only_phone=not row.anonymous and only_a_telephone(contact),
        joined=len(row.merged),
    )


def on_the_page(letter: ReplyLetter, text: str) -> dict[str, Any]:
    """The reply as the page behind the link shows it; `text` is masked."""
    who = letter.who or office(letter.locale)
    return {
        "who": who[:1].upper() + who[1:],
        "text": text,
        "rests": foundations(letter.outcome, letter.rule, letter.locale),
    }


def letters(letter: ReplyLetter, channels: list[str]) -> list[dict[str, Any]]:
    """The message on each of these channels."""
    found = []
    for channel in channels:
        subject, text, short = letter.message(channel)
        # Of a chat message there is no subject to be seen.
        shown = subject if channel != "wechat" else None
        found.append({"channel": channel, "subject": shown, "text": text, "short": short})
    return found


def ways(channel: str, contact: Mapping[str, Any]) -> list[str]:
    """How a reply gets to this reporter, as notification tries it: first as the comment came."""
    known = [w for w, key in (("email", "email"), ("wechat", "wechat_openid")) if contact.get(key)]
    first = "wechat" if channel == "wechat" else "email"
    return sorted(known, key=lambda way: way != first)


async def _part_of(tx: Transaction, row: CaseRow) -> int | None:
    """Which of the matters of its whole it is, as its reporter's page numbers them."""
    if row.parent is None:
        return None
    await tx.rows(CaseRow).load([row.parent])
    whole = tx.rows(CaseRow).get(row.parent)
    parts = whole.children if whole is not None else []
    return parts.index(row.feedback_id) + 1 if row.feedback_id in parts else None


async def _or_reviewed(tx: Transaction, row: CaseRow, draft: Draft, viewer: Viewer) -> Draft:
    """What waits to be read by somebody else, where nothing else was written."""
    case = store.case_of(row)
    if (review := case.review) is None:
        return draft
    text = review.text
    if sees_words(viewer, case):
        await tx.rows(PrivateWordsRow).load([row.feedback_id])
        text = as_written(tx, text, review.words_id)
    return Draft(
        text=draft.text or text,
        outcome=draft.outcome or review.outcome,
        rule=draft.rule or review.rule,
    )


def incident_look(
    draft: DraftToAll, everybody: str, context: ViewContext, url: str, *, english: int = 0
) -> Look:
    """The answer of an incident: to nobody in particular, in the language of whoever looks;
    `english`: how many of who waits for it read English."""
    letter = ReplyLetter(
        text=draft.read_in(context.locale),
        locale=context.locale,
        link=f"{url}{LINK}",
        outcome=draft.outcome,
        rule=draft.rule,
    )
    return Look(
        draft=draft,
        locale=context.locale,
        hints=hints_on(
            draft.text, draft.rule, None, context, english=0 if draft.english else english
        ),
        page=on_the_page(letter, everybody),
        letters=letters(letter, ["email", "wechat"]),
    )
