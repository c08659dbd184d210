"""A JSON body, read after it is known who asks and whether they may."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

M = TypeVar("M", bound=BaseModel)


async def body_as(request: Request, model: type[M]) -> M:
    """The body as `model`; 415 for another type, 400 for no JSON, 422 by field.

    FastAPI would read a declared body before any dependency ran, and tell a stranger what is wrong
    with it instead of 401.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException(415)
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


def described(model: type[BaseModel]) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that reads its body itself."""
    schema = inlined(model.model_json_schema())
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its ``$defs`` put where they are used: OpenAPI keeps them elsewhere."""
    parts = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            if (ref := value.get("$ref", "")).startswith("#/$defs/"):
                return put(parts[ref.rpartition("/")[2]])
            return {k: put(v) for k, v in value.items()}
        return [put(v) for v in value] if isinstance(value, list) else value

    whole: dict[str, Any] = put(schema)
    return whole
