"""What else is perhaps the same matter, while a case is read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request

from services.desk.api import views
from services.desk.api.cases import is_id, view_context
from services.desk.deps import Deps
from services.desk.domain import sees
from services.desk.domain.matters import ALIKE as ONE_MATTER
from services.desk.domain.matters import apart, matter_of, nearness, same_matter
from services.desk.domain.similar import ALIKE, CLOSE, candidates_from, features, likeness
from services.desk.store import meanings, similar
from shared.contracts.refusal import NotFound
from shared.messaging.row_buffer import values_of
from shared.service import Service
from shared.web.auth import Staff, service_of, signed_in

router = APIRouter(tags=["cases"])

MOST = 10
COPIED = 0.8
"""Words so near are one text, whatever it names."""
OTHER_WORDS = 0.9
"""How much the same matter counts beside the same words."""


@router.get("/api/cases/{feedback_id}/similar", summary="Near-equal cases")
async def show_similar(
    request: Request, person: Annotated[Staff, Depends(signed_in)], feedback_id: str
) -> JSONResponse:
    """``{items}``: at most 10 open or lately answered cases of what this person may see, as in the
    list, with `text`, `likeness` (0 to 1, the highest first), `same` (``words``, or the ``matter``
    in other words), `same_place`, `incident`."""
    context = view_context(request, person)
    items = await similar_items(service_of(request, "desk"), feedback_id, context)
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


async def similar_items(
    service: Service[Deps], feedback_id: str, context: views.ViewContext
) -> list[dict[str, Any]]:
    """The items of ``GET /api/cases/{id}/similar``; pages show the same."""
    if not is_id(feedback_id):
        raise NotFound()
    meaning = service.deps.meaning
    async with service.transaction() as tx:
        own_row = await similar.with_words(tx, [feedback_id])
        if not own_row or not sees(context.viewer, own_row[0][0]):
            raise NotFound()
        case, words = own_row[0]
        text = f"{words.title}\n{words.text}" if words else case.title
        cosines: dict[str, float] | None = None
        if model := meaning.embedder.model:
            cosines = await meanings.near(tx, feedback_id, model, tx.now, indexed=meaning.indexed)
        ids: list[str] = []
        if cosines is None or not meaning.indexed:
            # Texts of nearly the same words are also near in meaning, and that is found sooner.
            ids = await similar.words_like(tx, feedback_id, tx.now, at_least=candidates_from(text))
        cosines = cosines or {}
        others = await similar.with_words(tx, list(dict.fromkeys([*ids, *cosines])))
    own, matter = features(text), matter_of(text)
    items: list[dict[str, Any]] = []
    for other, its in others:
        if its is None or other.feedback_id in case.links or not sees(context.viewer, other):
            continue
        its_text = f"{its.title}\n{its.text}"
        near = nearness(text, its_text, cosines.get(other.feedback_id, 0.0))
        if not near and other.feedback_id not in ids:
            # What is far in meaning has not the same words either; to compare them takes longer.
            continue
        its_matter = matter_of(its_text)
        same_place = bool(case.place) and case.place == other.place
        lately = abs(case.received_at - other.received_at)
        like = likeness(own, features(its_text), same_place=same_place, apart=lately)
        by_words = like if like >= COPIED or not apart(matter, its_matter) else 0.0
        by_matter = same_matter(matter, its_matter, near, like)
        if by_words >= ALIKE or by_matter >= ONE_MATTER:
            same = "words" if by_words >= ALIKE else "matter"
            if same == "matter":
                like = OTHER_WORDS * by_matter + 0.05 * same_place + 0.05 * (lately <= CLOSE)
            more = {
                "text": its.text,
                "likeness": round(like, 2),
                "same": same,
                "same_place": same_place,
            }
            items.append(views.item(values_of(other), context) | more)
    items.sort(key=lambda item: item["likeness"], reverse=True)
    return items[:MOST]
