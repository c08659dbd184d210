"""What an address chooses among what there is."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from shared.contracts.refusal import NoSuchChoice


def choice(request: Request, name: str, known: Iterable[str]) -> str | None:
    """A parameter that is one of `known`, or was left out; raises `NoSuchChoice` for any other."""
    value, codes = request.query_params.get(name) or None, [str(code) for code in known]
    if value is not None and value not in codes:
        raise NoSuchChoice(name, codes)
    return value
