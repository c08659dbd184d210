"""One code leads to all that its reporter has with us, once the mailbox proves to be theirs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.intake import store
from services.intake.api.answers import REFUSALS, refused, turn_away
from services.intake.api.later import back, error_page, genuine
from services.intake.deps import deps_of
from services.intake.store import proofs
from shared.contracts import REPORTER
from shared.contracts.intake import FeedbackMattersAsked
from shared.contracts.refusal import NotFound
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL
from shared.security import LINK_TO_MATTERS, MATTERS, MATTERS_COOKIE
from shared.web.auth import service_of
from shared.web.bodies import ParsedBody, read_body
from shared.web.limits import caller
from shared.web.pages import wants_html

NO_STORE = {"Cache-Control": "no-store"}


async def ask_for_matters(request: Request) -> Response:
    """``POST /api/track/{code}/matters``: a link to all of them goes to the address on record.

    ``{feedback_id, action, at}``, the same whether or not there is an address, or anything else.
    """
    deps = deps_of(request)
    code = request.path_params["code"]
    try:
        digest = genuine(deps, request, code)
        turn_away(deps.callers.take(caller(request)))
        async with service_of(request, "intake").transaction() as tx:
            feedback_id = await _ask(tx, digest)
    except REFUSALS as error:
        return refused(request, error, lambda problem: error_page(request, ParsedBody(), problem))
    now = deps.runtime.clock.now()
    if wants_html(request):
        return back(code, "matters", now)
    at = now.astimezone(LOCAL).isoformat()
    body = {"feedback_id": feedback_id, "action": "matters", "at": at}
    return JSONResponse(body, headers=NO_STORE)


async def _ask(tx: Transaction, digest: str) -> str:
    submission = await store.find(tx, digest)
    if submission is None:
        raise NotFound
    feedback_id = submission.feedback_id
    if submission.contact.email is None or submission.anonymous or submission.erased:
        return feedback_id
    await tx.lock(feedback_id)
    if (until := await proofs.ask(tx, feedback_id, proof_id := new_id())) is not None:
        tx.emit(
            FeedbackMattersAsked(
                feedback_id=feedback_id, at=tx.now, by=REPORTER, request_id=proof_id, until=until
            )
        )
    return feedback_id


async def open_matters(request: Request) -> Response:
    """``POST /api/track/mine {token}``: the token of a letter, once.

    A program gets ``{items: [{feedback_id, tracking_code, track_url, received_at, title}]}``; a
    browser a cookie by which ``/track/mine`` shows them.
    """
    deps = deps_of(request)
    try:
        turn_away(deps.callers.take(caller(request)))
        token = (await read_body(request)).values().get("token")
        found = await _open(request, token if isinstance(token, str) else "")
    except REFUSALS as error:
        return refused(request, error, lambda problem: error_page(request, ParsedBody(), problem))
    if not wants_html(request):
        items = [
            {
                "feedback_id": one.feedback_id,
                "tracking_code": one.tracking_code,
                "track_url": deps.track_url(one.tracking_code),
                "received_at": one.received_at.astimezone(LOCAL).isoformat(),
                "title": one.title or one.text[:80],
            }
            for one in found
        ]
        return JSONResponse({"items": items}, headers=NO_STORE)
    now = deps.runtime.clock.now()
    codes = [one.tracking_code for one in found]
    answer = RedirectResponse("/track/mine", 303, headers=NO_STORE)
    answer.set_cookie(
        MATTERS_COOKIE,
        deps.runtime.signer.signed(MATTERS, codes, until=now + proofs.SHOWN_FOR),
        max_age=int(proofs.SHOWN_FOR.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=deps.runtime.settings.url.startswith("https:"),
    )
    return answer


async def _open(request: Request, token: str) -> list[proofs.Matter]:
    deps = deps_of(request)
    now = deps.runtime.clock.now()
    proof_id = deps.runtime.signer.read_signed(LINK_TO_MATTERS, token, now)
    if isinstance(proof_id, str):
        async with service_of(request, "intake").transaction() as tx:
            if (feedback_id := await proofs.use(tx, proof_id)) is not None:
                return await proofs.of_the_same(tx, feedback_id)
    raise NotFound(
        "这个链接用过了，或者过期了。请从任何一件的进展页再要一个。",
        "This link was used already, or is too old. Please ask for another on a tracking page.",
    )
