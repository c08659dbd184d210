"""What comes in a request body: read once, checked late, never trusted."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from services.desk.domain import Action
from shared.contracts.refusal import Malformed
from shared.contracts.vocabulary import CATEGORIES, CaseType, Outcome, Priority

# Letters to Unicode, and yet nothing to the eye.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_VISIBLE = frozenset("LNPS")


def clean(value: str) -> str:
    """Line ends LF, blank ends off; refuses what no database or page can hold."""
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("请去掉特殊控制字符 | please remove control characters")
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def _something(value: str) -> str:
    if not any(unicodedata.category(c)[0] in _VISIBLE and c not in _BLANK_LETTERS for c in value):
        raise ValueError("请写点什么 | please write something")
    return value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _category(value: str | None) -> str | None:
    if value is not None and value not in CATEGORIES:
        raise ValueError("没有这个类别 | there is no such category")
    return value


def _outcome(value: Outcome) -> Outcome:
    if value is Outcome.OTHER:
        raise ValueError("请选择一种结果 | please choose an outcome")
    return value


Line = Annotated[str, Field(max_length=200), AfterValidator(clean), AfterValidator(_something)]
Words = Annotated[str, Field(max_length=50_000), AfterValidator(clean), AfterValidator(_something)]
Maybe = BeforeValidator(_blank_is_none)


class Body(BaseModel):
    """What a body may hold; anything else in it is passed over."""

    model_config = ConfigDict(extra="ignore")


class NoBody(Body):
    """Nothing to say."""


class Dispatch(Body):
    department: Line
    category: Annotated[str | None, Maybe, AfterValidator(_category)] = None
    priority: Annotated[Priority | None, Maybe] = None
    type: Annotated[CaseType | None, Maybe] = None


class Return(Body):
    reason: Words
    suggest: Annotated[Line | None, Maybe] = None


class Assign(Body):
    to: Line


class Ask(Body):
    question: Words


class Note(Body):
    text: Words


class Reply(Body):
    text: Words
    outcome: Annotated[Outcome, AfterValidator(_outcome)]


class WithReason(Body):
    reason: Words


class SignIn(Body):
    username: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(clean)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    next: Annotated[str, Field(max_length=2000)] = "/desk"


BODIES: dict[Action, type[Body]] = {
    Action.DISPATCH: Dispatch,
    Action.RETURN: Return,
    Action.ASSIGN: Assign,
    Action.ASK: Ask,
    Action.NOTE: Note,
    Action.REPLY: Reply,
    Action.REJECT: WithReason,
    Action.REOPEN: WithReason,
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A body as it came: bytes of JSON, or a form."""

    json: bytes | None = None
    form: FormData | None = None
    foreign: bool = False
    """Of a type that is not taken."""

    def values(self) -> dict[str, Any]:
        """The fields; `Malformed` for what is no JSON, 422 for JSON that is no object."""
        if self.foreign:
            raise HTTPException(415)
        if self.form is not None:
            return {key: value for key, value in self.form.items() if isinstance(value, str)}
        if not self.json or not self.json.strip():
            return {}
        try:
            found = json.loads(self.json, parse_constant=_no_such_number)
        except (ValueError, RecursionError):
            raise Malformed("无法读取这段 JSON。", "This JSON cannot be read.") from None
        if not isinstance(found, dict):
            raise RequestValidationError([{"type": "dict_type", "loc": (), "msg": "an object"}])
        return found


async def receive(request: Request) -> Raw:
    """Read the body, before anything is locked for it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return Raw(form=await request.form(max_files=0, max_fields=100))
    body = await request.body()
    foreign = bool(body and kind) and kind != "application/json" and not kind.endswith("+json")
    return Raw(json=body, foreign=foreign)


def checked(kind: type[Body], values: dict[str, Any]) -> Any:
    """The body as `kind`; 422 by field where it is not one."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
