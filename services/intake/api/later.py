"""``POST /api/track/{code}/{action}``: what a reporter says later, by tracking code alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.intake import store
from services.intake.api.answers import REFUSALS, Problem, refused, turn_away
from services.intake.api.body import Sent, read_body
from services.intake.domain.later import BODIES, Action, Because, Rating, Supplement, check
from services.intake.domain.submission import Submission, masked, private_details
from services.intake.store import CaseRow, Key, WordsRow
from services.intake.tools import Tools, tools_of
from shared.contracts import REPORTER
from shared.contracts.intake import (
    FeedbackRated,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackUrged,
    FeedbackWithdrawn,
)
from shared.contracts.refusal import Conflict, NotFound, Refusal, TooMany, Unacceptable
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.security import code_hash
from shared.web.auth import service_of
from shared.web.limits import caller
from shared.web.moments import LOCAL
from shared.web.pages import wants_html

AGAIN_WITHIN = timedelta(seconds=60)
"""The same words again so soon are the same message: a button pressed twice."""
LOOK_AGAIN = (0.1, 0.2, 0.3)
"""Seconds: the page of the reporter may know of a reply a moment before we do."""


@dataclass(frozen=True)
class Said:
    """Something said, at which moment."""

    feedback_id: str
    at: datetime


async def say_more(request: Request) -> Response:
    """``POST /api/track/{code}/{action}``"""
    tools = tools_of(request)
    code, name = request.path_params["code"], request.path_params["action"]
    sent = Sent({})
    try:
        digest = genuine(tools, request, code)
        if name not in Action._value2member_map_:
            raise NotFound
        wait = tools.callers.take(caller(request))
        sent = await _read(request)
        turn_away(wait)
        said = await _say_patiently(request, digest, Action(name), sent)
    except REFUSALS as error:
        return refused(request, error, lambda told: _page(request, sent, told))
    if wants_html(request):
        return RedirectResponse(f"/track/{quote(code, safe='')}?done={name}", 303)
    return JSONResponse(
        {
            "feedback_id": said.feedback_id,
            "action": name,
            "at": said.at.astimezone(LOCAL).isoformat(),
        },
        headers={"Cache-Control": "no-store"},
    )


async def _read(request: Request) -> Sent:
    try:
        return await read_body(request, may_be_empty=True)
    except Refusal as refusal:
        return Sent({}, wrong=refusal)


def genuine(tools: Tools, request: Request, code: str) -> str:
    """The hash of a code that was made here. 404 for any other, and 429 after many of those.

    Only such codes count, so that nobody who shares an address with a guesser is shut out.
    """
    if tools.house.signer.is_genuine(code):
        return code_hash(code)
    wait = tools.strangers.blocked(caller(request))
    if wait is not None:
        raise TooMany(
            "试了太多不存在的查询码，请稍后再试。",
            "Too many unknown codes. Please wait a little.",
            retry_after=wait,
        )
    tools.strangers.count(caller(request))
    raise NotFound


async def _say_patiently(request: Request, digest: str, action: Action, sent: Sent) -> Said:
    service = service_of(request, "intake")
    for pause in (*LOOK_AGAIN, None):
        try:
            async with service.transaction() as tx:
                return await say(tx, digest, action, sent, _key(request, sent))
        except Conflict:
            if pause is None or service.consumer is None or action not in _AFTER_A_REPLY:
                raise
            await asyncio.sleep(pause)
    raise AssertionError


async def say(
    tx: Transaction, digest: str, action: Action, sent: Sent, key: str | None = None
) -> Said:
    """Lock the case, decide, write and tell. 404, 409, 422 in this order."""
    submission = await store.find(tx, digest)
    if submission is None:
        raise NotFound
    feedback_id = submission.feedback_id
    await tx.lock(feedback_id)
    await store.load(tx, [feedback_id])
    if key is not None and sent.wrong is None:
        first = await _first_answer(tx, feedback_id, action, sent, key)
        if first is not None:
            return Said(feedback_id, first)
    row = store.case_of(tx, feedback_id)
    if (earlier := await _again(tx, feedback_id, action, sent)) is not None:
        return Said(feedback_id, earlier)
    check(action, row.standing, tx.now)
    if sent.wrong is not None:
        raise sent.wrong
    body = BODIES[action].model_validate(sent.values)
    await _DO[action](tx, submission, row, body)
    tx.shelf(CaseRow).put(row)
    return Said(feedback_id, tx.now)


async def _first_answer(
    tx: Transaction, feedback_id: str, action: Action, sent: Sent, key: str
) -> datetime | None:
    try:
        body = BODIES[action].model_validate(sent.values).model_dump_json()
    except ValidationError:
        return None  # told after whether this can be done at all
    body_hash = hashlib.sha256(f"{action}\0{body}".encode()).hexdigest()
    return await store.answered_before(tx, Key(f"case:{feedback_id}", key, body_hash), feedback_id)


async def _again(tx: Transaction, feedback_id: str, action: Action, sent: Sent) -> datetime | None:
    """When these very words were said a moment ago."""
    if action is not Action.SUPPLEMENT or not isinstance(sent.values.get("text"), str):
        return None
    last = (await store.words_of(tx, feedback_id))[-1:]
    for row in last:
        same = row.action == action and row.text == _plain(sent.values["text"])
        if same and tx.now - row.at < AGAIN_WITHIN:
            return row.at
    return None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# -- each action ---------------------------------------------------------------------------


def _keep(tx: Transaction, feedback_id: str, action: Action, text: str) -> WordsRow:
    row = WordsRow(words_id=new_id(), feedback_id=feedback_id, action=action, text=text, at=tx.now)
    return tx.shelf(WordsRow).add(row)


async def _supplement(
    tx: Transaction, submission: Submission, row: CaseRow, body: Supplement
) -> None:
    said = await store.words_of(tx, row.feedback_id)
    words = _keep(tx, row.feedback_id, Action.SUPPLEMENT, body.text)
    shown = [(w.words_id, w.text) for w in (*said, words) if w.action == Action.SUPPLEMENT]
    # The words first: who hears of the supplement finds them.
    tx.emit(private_details(submission, tx.now, shown))
    tx.emit(
        FeedbackSupplemented(
            feedback_id=row.feedback_id,
            at=tx.now,
            by=REPORTER,
            text=masked(body.text, submission),
            words_id=words.words_id,
        )
    )


async def _urge(tx: Transaction, submission: Submission, row: CaseRow, body: BaseModel) -> None:
    row.urged_at = tx.now
    tx.emit(FeedbackUrged(feedback_id=row.feedback_id, at=tx.now, by=REPORTER))


async def _rate(tx: Transaction, submission: Submission, row: CaseRow, body: Rating) -> None:
    row.rated = row.replies
    if body.comment:
        _keep(tx, row.feedback_id, Action.RATE, body.comment)
    tx.emit(
        FeedbackRated(
            feedback_id=row.feedback_id,
            at=tx.now,
            by=REPORTER,
            stars=body.stars,
            solved=body.solved,
            comment=masked(body.comment, submission) if body.comment else None,
        )
    )


async def _reopen(tx: Transaction, submission: Submission, row: CaseRow, body: Because) -> None:
    row.asked = Action.REOPEN
    _keep(tx, row.feedback_id, Action.REOPEN, body.reason)
    tx.emit(
        FeedbackReopenRequested(
            feedback_id=row.feedback_id,
            at=tx.now,
            by=REPORTER,
            reason=masked(body.reason, submission),
        )
    )


async def _withdraw(tx: Transaction, submission: Submission, row: CaseRow, body: BaseModel) -> None:
    row.asked = Action.WITHDRAW
    tx.emit(FeedbackWithdrawn(feedback_id=row.feedback_id, at=tx.now, by=REPORTER))


_DO: Mapping[Action, Callable[..., Any]] = {
    Action.SUPPLEMENT: _supplement,
    Action.URGE: _urge,
    Action.RATE: _rate,
    Action.REOPEN: _reopen,
    Action.WITHDRAW: _withdraw,
}
_AFTER_A_REPLY = frozenset({Action.RATE, Action.REOPEN})


def _key(request: Request, sent: Sent) -> str | None:
    given = request.headers.get("idempotency-key")
    if given is None:
        given = sent.form.get("idempotency_key") or None
    if given is not None and not (1 <= len(given) <= 255 and given.isprintable()):
        raise Unacceptable(
            "Idempotency-Key 须为 1–255 个可见字符。",
            "An Idempotency-Key has 1 to 255 printable characters.",
        )
    return given


def _page(request: Request, sent: Sent, told: Problem) -> Response:
    """An error page that gives the words back."""
    return tools_of(request).pages.render(
        request,
        "error.html",
        status=told.status,
        problem={
            "status": told.status,
            "detail": told.detail,
            "errors": told.errors if len(told.errors) > 1 else {},
            "retry_after": told.retry_after,
        },
        typed=[v for k, v in sent.form.items() if k in ("text", "reason", "comment") and v],
    )
