"""How the department answered the like before, for whoever writes an answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request

from services.desk.api import views
from services.desk.api.cases import view_context
from services.desk.api.drafts import writable
from services.desk.deps import deps_of
from services.desk.domain import sees
from services.desk.domain.matters import ALIKE, matter_of, nearness, same_answer
from services.desk.domain.similar import CLOSE, candidates_from, features, likeness
from services.desk.domain.suggesting import age_of, frames_of, said_once, sentences, worth
from services.desk.store import answered, canned, similar
from shared.messaging.row_buffer import values_of
from shared.moments import local
from shared.web.auth import Staff, service_of, signed_in

router = APIRouter(tags=["cases"])

MOST = 3


@router.get("/api/cases/{feedback_id}/answered", summary="Answers to the like, to take from")
async def show_answered(
    request: Request, person: Annotated[Staff, Depends(signed_in)], feedback_id: str
) -> JSONResponse:
    """``{items}``: at most 3 cases that the same department answered and this person may see, with
    `likeness`, `outcome`, `replied_at`, `reopened`, `stars`, and the `sentences` of the last public
    reply in which nobody is named. Each sentence is said once: `answered` says how many cases were
    answered so."""
    items = await answered_items(request, person, feedback_id)
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


async def answered_items(request: Request, person: Staff, feedback_id: str) -> list[dict[str, Any]]:
    """The items of ``GET /api/cases/{id}/answered``; pages show the same."""
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        await writable(tx, person, feedback_id, lock=False)
        meaning = deps_of(tx).meaning
        if not (model := meaning.embedder.model):
            return []
        (asked,) = await similar.with_words(tx, [feedback_id])
        text = _text(asked)
        own, least = features(text), candidates_from(text)
        found = await answered.answered_alike(
            tx, feedback_id, model, indexed=meaning.indexed, at_least=least
        )
        ids = [one["feedback_id"] for one in found]
        known = {row.feedback_id: (row, words) for row, words in await similar.with_words(tx, ids)}
        known_canned = await canned.replies(tx, None, active=False)
        frames = frames_of(t for row in known_canned for t in (row.zh, row.en) if t)
        items = []
        for one in found:
            row, its_words = known[one["feedback_id"]]
            if its_words is None or not sees(context.viewer, row):
                continue
            its = _text((row, its_words))
            near = nearness(text, its, one["cosine"])
            words = likeness(own, features(its), same_place=False, apart=2 * CLOSE)
            like = same_answer(matter_of(text), matter_of(its), near, words)
            said = sentences(one["reply"], frames)
            if like >= ALIKE and said:
                items.append(_item(one, values_of(row), context, like, said))
    items.sort(key=lambda item: item.pop("worth"), reverse=True)
    return said_once(items)[:MOST]


def _text(known: tuple[Any, Any]) -> str:
    row, words = known
    return f"{words.title}\n{words.text}" if words is not None else str(row.title)


def _item(
    one: dict[str, Any],
    row: dict[str, Any],
    context: views.ViewContext,
    like: float,
    said: list[str],
) -> dict[str, Any]:
    age = age_of(one["replied_at"], context.now)
    return views.item(row, context) | {
        "worth": worth(like, stars=one["stars"], reopened=one["reopened"], age=age),
        "likeness": round(like, 2),
        "outcome": one["outcome"],
        "replied_at": local(one["replied_at"]),
        "reopened": one["reopened"],
        "stars": one["stars"],
        "sentences": said,
    }
