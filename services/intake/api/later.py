"""``POST /api/track/{code}/{action}``: what a reporter says later, by tracking code alone."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.intake import store
from services.intake.api.answers import REFUSALS, Problem, refused, turn_away
from services.intake.api.pictures import read_pictures, room_for
from services.intake.deps import Deps, deps_of
from services.intake.domain.chat import is_thanks
from services.intake.domain.later import (
    BODIES,
    Action,
    Because,
    Rating,
    Supplement,
    allowed,
    check,
    check_room,
)
from services.intake.domain.pictures import Picture, none_after_erasure
from services.intake.domain.pictures import check_room as check_pictures
from services.intake.domain.submission import Submission, masked
from services.intake.store import CaseRow, Key, WordsRow
from shared.contracts import REPORTER, Event, short_type
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackRated,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackUrged,
    FeedbackWithdrawn,
    PrivateWords,
)
from shared.contracts.refusal import Conflict, NotFound, TooMany, Unacceptable
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL
from shared.security import code_hash, plain_code
from shared.web.auth import service_of
from shared.web.bodies import ParsedBody, read_body
from shared.web.field_words import wrong_lines
from shared.web.limits import caller
from shared.web.pages import choose_locale, wants_html
from shared.web.uploads import Files

REPEATED_WITHIN = timedelta(seconds=60)
"""The same words again so soon are the same message: a button pressed twice."""
RETRY_PAUSES = (0.1, 0.2, 0.3)
"""Seconds: the page of the reporter may know of a reply a moment before we do."""


@dataclass(frozen=True)
class ActionResult:
    """What was done, at which moment."""

    feedback_id: str
    at: datetime


async def act(request: Request) -> Response:
    """``POST /api/track/{code}/{action}``"""
    deps = deps_of(request)
    code, name = request.path_params["code"], request.path_params["action"]
    parsed = ParsedBody()
    try:
        digest = genuine(deps, request, code)
        if name not in Action._value2member_map_:
            raise NotFound
        wait = deps.callers.take(caller(request))
        async with _reading(deps, request, Action(name)) as files:
            parsed = await read_body(request, may_be_empty=True, late=True, files=files)
            turn_away(wait or deps.over_budget(request, parsed.size))
            try:
                pictures = await read_pictures(deps, request, parsed, public=True)
            except Unacceptable as wrong:
                # Whether it can be done at all comes before.
                parsed, pictures = replace(parsed, wrong=wrong), ()
        result = await _act_with_retries(request, digest, Action(name), parsed, pictures)
    except REFUSALS as error:
        return refused(request, error, lambda problem: error_page(request, parsed, problem))
    if wants_html(request):
        return back(code, name, result.at)
    return JSONResponse(
        {
            "feedback_id": result.feedback_id,
            "action": name,
            "at": result.at.astimezone(LOCAL).isoformat(),
        },
        headers={"Cache-Control": "no-store"},
    )


@contextlib.asynccontextmanager
async def _reading(deps: Deps, request: Request, action: Action) -> AsyncIterator[Files | None]:
    """What may come with words that are added; with nothing else do pictures come."""
    if action is not Action.SUPPLEMENT:
        yield None
        return
    async with room_for(deps, request) as files:
        yield files


def back(code: str, action: str, at: datetime) -> Response:
    """To the page of the case, which says what was done as long as that is news."""
    when = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return RedirectResponse(f"/track/{quote(code, safe='')}?done={action}&at={when}", 303)


def genuine(deps: Deps, request: Request, code: str) -> str:
    """The hash of a code that was made here. 404 for any other, and 429 after many of those.

    Only such codes count, so that nobody who shares an address with a guesser is shut out.
    """
    if deps.runtime.signer.is_genuine(code):
        return code_hash(code)
    wait = deps.unknown_codes.blocked(caller(request))
    if wait is not None:
        raise TooMany(
            "试了太多不存在的查询码，请稍后再试。",
            "Too many unknown codes. Please wait a little.",
            retry_after=wait,
        )
    deps.unknown_codes.count(caller(request))
    raise NotFound


async def _act_with_retries(
    request: Request,
    digest: str,
    action: Action,
    parsed: ParsedBody,
    pictures: tuple[Picture, ...],
) -> ActionResult:
    service = service_of(request, "intake")
    for pause in (*RETRY_PAUSES, None):
        try:
            async with service.transaction() as tx:
                key = _key(request, parsed)
                return await perform(tx, digest, action, parsed, key, pictures=pictures)
        except Conflict:
            if pause is None or service.consumer is None or action not in _AFTER_A_REPLY:
                raise
            await asyncio.sleep(pause)
    raise AssertionError


async def perform(
    tx: Transaction,
    digest: str,
    action: Action,
    parsed: ParsedBody,
    key: str | None = None,
    *,
    pictures: tuple[Picture, ...] = (),
) -> ActionResult:
    """Lock the case, decide, write and emit. 404, 409, 422 in this order."""
    submission = await store.find(tx, digest)
    if submission is None:
        raise NotFound
    feedback_id = _about(submission, parsed)
    await tx.lock(feedback_id)
    await store.load(tx, [feedback_id])
    whole = submission.feedback_id
    if feedback_id != whole and store.case_of(tx, feedback_id).parent != whole:
        # Not one of the matters that the comment was split into.
        raise NotFound
    if key is not None and parsed.wrong is None:
        first = await _first_answer(tx, feedback_id, action, parsed, key, pictures)
        if first is not None:
            return ActionResult(feedback_id, first)
    if (earlier := await _again(tx, feedback_id, action, parsed, pictures)) is not None:
        return ActionResult(feedback_id, earlier)
    check(action, store.case_of(tx, feedback_id).standing, tx.now)
    if parsed.wrong is not None:
        raise parsed.wrong
    body = BODIES[action].model_validate(parsed.fields)
    if isinstance(body, Supplement) and pictures:
        body = _Said.model_construct(text=body.text, pictures=pictures)
    event = await say(tx, submission, feedback_id, action, body)
    # Not a moment later: by it the page of the case knows the line it waits for.
    return ActionResult(feedback_id, event.at)


async def say(
    tx: Transaction, submission: Submission, feedback_id: str, action: Action, body: BaseModel
) -> Event:
    """Write and emit what is possible; the case is locked and loaded."""
    row = store.case_of(tx, feedback_id)
    event = await _DO[action](tx, submission, row, body)
    tx.emit(event)
    asked = row.standing.asked.after(short_type(event.type), tx.now)
    row.asked = asked.model_dump(mode="json", exclude_defaults=True)
    tx.rows(CaseRow).upsert(row)
    return event


class _Said(Supplement):
    """Words with what no model of a body has."""

    unasked: bool = False
    """In a chat: they do not answer the question that the case waits for."""
    pictures: tuple[Picture, ...] = ()


async def add(
    tx: Transaction, submission: Submission, feedback_id: str, text: str, *, unasked: bool = False
) -> str:
    """Add words to a case, which is locked and loaded; the id of them. `Conflict` where nothing can
    be added. `unasked`: they answer nothing that was asked."""
    check(Action.SUPPLEMENT, store.case_of(tx, feedback_id).standing, tx.now)
    body = _Said.model_construct(text=text, unasked=unasked)
    event = await say(tx, submission, feedback_id, Action.SUPPLEMENT, body)
    assert isinstance(event, FeedbackSupplemented)
    return event.words_id


def _about(submission: Submission, parsed: ParsedBody) -> str:
    part = parsed.fields.get("part")
    return part if isinstance(part, str) and part else submission.feedback_id


async def _first_answer(
    tx: Transaction,
    feedback_id: str,
    action: Action,
    parsed: ParsedBody,
    key: str,
    pictures: tuple[Picture, ...],
) -> datetime | None:
    try:
        body = BODIES[action].model_validate(parsed.fields).model_dump_json()
    except ValidationError:
        return None  # the answer comes after whether this can be done at all
    said = "\0".join([action, body, *(one.digest for one in pictures)])
    body_hash = hashlib.sha256(said.encode()).hexdigest()
    of_a_form = parsed.form.get("idempotency_key") == key
    spent = Key(f"case:{feedback_id}", key, body_hash, of_a_form=of_a_form)
    return await store.answered_before(tx, spent, feedback_id)


async def _again(
    tx: Transaction,
    feedback_id: str,
    action: Action,
    parsed: ParsedBody,
    pictures: tuple[Picture, ...],
) -> datetime | None:
    """When these very words, with these very pictures, were said a moment ago and nothing was asked
    since."""
    if action is not Action.SUPPLEMENT or not isinstance(parsed.fields.get("text"), str):
        return None
    last = await store.last_supplement(tx, feedback_id)
    if last is None or last.text != _plain(parsed.fields["text"]):
        return None
    if tx.now - last.at >= REPEATED_WITHIN or parsed.wrong is not None:
        return None
    questioned_at = store.case_of(tx, feedback_id).questioned_at
    if questioned_at is not None and last.at < questioned_at:
        return None  # they answer what they were asked since
    same = [one.digest for one in pictures] == await store.digests_of(tx, last.words_id)
    return last.at if same else None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# -- each action ---------------------------------------------------------------------------


def _keep(
    tx: Transaction, submission: Submission, feedback_id: str, action: Action, text: str
) -> WordsRow:
    """Keep the words whole; masked where the person was erased before."""
    row = WordsRow(
        words_id=new_id(),
        feedback_id=feedback_id,
        action=action,
        text=masked(text, submission) if submission.erased else text,
        at=tx.now,
    )
    return tx.rows(WordsRow).insert(row)


async def _supplement(
    tx: Transaction, submission: Submission, row: CaseRow, body: Supplement
) -> Event:
    last = await store.last_supplement(tx, row.feedback_id)
    check_room(last.number if last else 0, allowed(row.standing, tx.now))
    said = body if isinstance(body, _Said) else _Said.model_construct(text=body.text)
    if said.pictures:
        if submission.erased:
            raise none_after_erasure()
        check_pictures(await store.pictures_of(tx, row.feedback_id), said.pictures)
    words = _keep(tx, submission, row.feedback_id, Action.SUPPLEMENT, body.text)
    sent = store.WithPictures(row.feedback_id, words.words_id, said.pictures, tx.now)
    await store.keep_pictures(tx, [sent])
    if not submission.erased:
        # The words first: who reads the supplement finds them.
        tx.emit(
            PrivateWords(
                feedback_id=row.feedback_id,
                at=tx.now,
                by=REPORTER,
                words_id=words.words_id,
                text=words.text,
            )
        )
    return FeedbackSupplemented(
        feedback_id=row.feedback_id,
        at=tx.now,
        by=REPORTER,
        text=masked(body.text, submission),
        words_id=words.words_id,
        thanks=is_thanks(body.text),
        unasked=said.unasked,
        pictures=tuple(one.sent for one in said.pictures),
    )


async def _urge(tx: Transaction, submission: Submission, row: CaseRow, body: BaseModel) -> Event:
    return FeedbackUrged(feedback_id=row.feedback_id, at=tx.now, by=REPORTER)


async def _rate(tx: Transaction, submission: Submission, row: CaseRow, body: Rating) -> Event:
    if body.comment:
        _keep(tx, submission, row.feedback_id, Action.RATE, body.comment)
    return FeedbackRated(
        feedback_id=row.feedback_id,
        at=tx.now,
        by=REPORTER,
        stars=body.stars,
        solved=body.solved,
        comment=masked(body.comment, submission) if body.comment else None,
    )


async def _reopen(tx: Transaction, submission: Submission, row: CaseRow, body: Because) -> Event:
    _keep(tx, submission, row.feedback_id, Action.REOPEN, body.reason)
    return FeedbackReopenRequested(
        feedback_id=row.feedback_id,
        at=tx.now,
        by=REPORTER,
        reason=masked(body.reason, submission),
    )


async def _appeal(tx: Transaction, submission: Submission, row: CaseRow, body: Because) -> Event:
    _keep(tx, submission, row.feedback_id, Action.APPEAL, body.reason)
    return FeedbackAppealed(
        feedback_id=row.feedback_id,
        at=tx.now,
        by=REPORTER,
        reason=masked(body.reason, submission),
    )


async def _withdraw(
    tx: Transaction, submission: Submission, row: CaseRow, body: BaseModel
) -> Event:
    return FeedbackWithdrawn(feedback_id=row.feedback_id, at=tx.now, by=REPORTER)


_DO: Mapping[Action, Callable[..., Awaitable[Event]]] = {
    Action.SUPPLEMENT: _supplement,
    Action.URGE: _urge,
    Action.RATE: _rate,
    Action.REOPEN: _reopen,
    Action.WITHDRAW: _withdraw,
    Action.APPEAL: _appeal,
}
_AFTER_A_REPLY = frozenset({Action.RATE, Action.REOPEN, Action.APPEAL})


def _key(request: Request, parsed: ParsedBody) -> str | None:
    given = request.headers.get("idempotency-key")
    if given is None:
        given = parsed.form.get("idempotency_key") or None
    if given is not None and not (1 <= len(given) <= 255 and given.isprintable()):
        raise Unacceptable(
            "Idempotency-Key 须为 1–255 个可见字符。",
            "An Idempotency-Key has 1 to 255 printable characters.",
        )
    return given


def _case_page(request: Request) -> str | None:
    """The page that the form belongs to: without script nothing else leads back."""
    deps, code = deps_of(request), request.path_params.get("code", "")
    return deps.track_url(plain_code(code)) if deps.runtime.signer.is_genuine(code) else None


def error_page(request: Request, parsed: ParsedBody, problem: Problem) -> Response:
    """An error page that gives the words back."""
    deps = deps_of(request)
    locale = choose_locale(request, deps.locale)
    # What is said of every field alike names them already.
    several = len(set(problem.errors.values())) > 1
    return deps.pages.render(
        request,
        "error.html",
        status=problem.status,
        problem={
            "status": problem.status,
            "detail": problem.detail,
            "wrong": wrong_lines(problem.errors, problem.detail, locale) if several else [],
            "retry_after": problem.retry_after,
        },
        typed=[v for k in ("text", "reason", "comment") if (v := parsed.form.get(k, "")).strip()],
        case_page=_case_page(request),
    )
