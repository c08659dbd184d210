"""What the pages share: who reads, rules that another process edited a moment ago, the language."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.sla.deps import Deps, deps_of
from shared.web.auth import Staff, service_of, staff
from shared.web.pages import choose_locale
from shared.web.permissions import Permission


def reader(request: Request) -> Staff:
    """Any member of staff: what is promised is no secret. Raises NotSignedIn."""
    return staff(request)


def may_edit(person: Staff) -> bool:
    """Whether the page offers to change anything."""
    return person.may(Permission.EDIT_PROMISES)


async def up_to_date(request: Request) -> Deps:
    """The rules as they are stored now."""
    deps = deps_of(request)
    async with service_of(request, "sla").engine.connect() as connection:
        await deps.refresh(connection)
    return deps


def render(
    request: Request, template: str, person: Staff, *, status: int = 200, **context: Any
) -> Response:
    """The page."""
    deps = deps_of(request)
    return deps.pages.render(request, template, status=status, user=person.user, **context)


def locale_of(request: Request) -> str:
    """The reader's language."""
    return choose_locale(request, deps_of(request).pages.default_locale)
