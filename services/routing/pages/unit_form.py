"""``/routing/edit?unit=…``: another unit of the university as a form, whose what is not ours is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.routing.api.editing import MOST, replace_rules
from services.routing.api.rules import locale_of
from services.routing.deps import deps_of
from services.routing.domain import OtherUnit, RulesInvalid, with_units, with_version
from shared.contracts.refusal import Conflict, NotFound, Refusal
from shared.web.auth import Staff, service_of

NEW = "new"
_NAMES = ("unit", "unit_en", "instead", "instead_en")


async def form_page(request: Request, person: Staff, unit_id: str) -> Response:
    """A unit as it is, or an empty form; 404 for one that is not there."""
    if unit_id == NEW:
        return _page(request, person, NEW, {})
    one = _among(_units(request), unit_id)
    typed = {name: str(getattr(one, name)) for name in _NAMES}
    return _page(request, person, unit_id, typed | {"phrases": "\n".join(one.phrases)})


async def save_form(request: Request, person: Staff, form: Mapping[str, str]) -> Response:
    """Put the unit in force, or take it out (``do=remove``), or say beside its field what is wrong.

    The whole list stands in the rules from then on, those that are shipped among it.
    """
    service, locale = service_of(request, "routing"), locale_of(request)
    unit_id, base = form.get("unit_id", ""), form.get("version", "")
    values = {name: text.replace("\r\n", "\n") for name, text in form.items()}
    units = _units(request)
    written = [one.model_dump(mode="json") for one in units]
    if unit_id == NEW:
        typed = _as_typed(values, values.get("id", "").strip())
        if any(one.id == typed["id"] for one in units):
            taken = {"id": "这个编号用过了。" if locale != "en" else "This id is taken."}
            return _page(request, person, NEW, values, status=422, errors=taken, base=base)
        at = len(written)
        written.append(typed)
    else:
        at = units.index(_among(units, unit_id))
        if form.get("do") == "remove":
            del written[at]
        else:
            written[at] = _as_typed(values, unit_id)
    text = with_units(service.deps.rules.stored.text, written)
    if base.isascii() and base.isdigit() and len(base) < 10:
        text = with_version(text, int(base))
    errors: dict[str, str] = {}
    try:
        new = await replace_rules(service, text, by=person.username)
        return RedirectResponse(f"/routing?saved={new.version}#elsewhere", 303)
    except RulesInvalid as invalid:
        status, mistakes = 422, []
        for mistake in invalid.mistakes[:MOST]:
            said = mistake.en if locale == "en" else mistake.zh
            if mistake.path[:2] == ("elsewhere", at) and len(mistake.path) > 2:
                errors.setdefault(str(mistake.path[2]), said)
            else:
                mistakes.append(mistake.sentence(locale))
    except Refusal as refusal:
        status, mistakes = refusal.status, [refusal.detail(locale)]
        if not isinstance(refusal, Conflict):
            base = ""
    return _page(
        request,
        person,
        unit_id,
        values,
        status=status,
        errors=errors,
        mistakes=mistakes,
        base=base,
    )


def _as_typed(form: Mapping[str, str], unit_id: str) -> dict[str, Any]:
    lines = [line.strip() for line in form.get("phrases", "").split("\n")]
    told = {name: form.get(name, "").strip() for name in _NAMES}
    return {"id": unit_id, **told, "phrases": [line for line in dict.fromkeys(lines) if line]}


def _units(request: Request) -> Sequence[OtherUnit]:
    return deps_of(request).rules.ruleset.book.units


def _among(units: Sequence[OtherUnit], unit_id: str) -> OtherUnit:
    found = next((one for one in units if one.id == unit_id), None)
    if found is None:
        raise NotFound
    return found


def _page(
    request: Request,
    person: Staff,
    unit_id: str,
    typed: Mapping[str, str],
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    mistakes: Sequence[str] = (),
    base: str = "",
) -> Response:
    deps = deps_of(request)
    answer: Response = deps.pages.render(
        request,
        "unit.html",
        user=person.user,
        status=status,
        unit_id=unit_id,
        typed=typed,
        errors=errors or {},
        mistakes=mistakes,
        based_on=base or str(deps.rules.version),
    )
    return answer
