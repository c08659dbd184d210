"""What comes in a request body: JSON or a form, read once, and nothing that could surprise later.

FastAPI would read a declared body before any dependency ran, and show a stranger what is wrong
with it instead of 401; so routes read it themselves, after it is known who asks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.contracts.refusal import Malformed, Refusal, Unacceptable
from shared.web.pages import is_json
from shared.web.uploads import (
    Files,
    NotMultipart,
    PartLimits,
    SentFile,
    TooMuchText,
    read_parts,
)

M = TypeVar("M", bound=BaseModel)

MOST_FIELDS = 100
"""Fields of a form."""
MAX_FIELD = 1_000_000
"""Bytes of a field: a text may be as long as a body may be."""
_UTF8 = ("", "utf-8", "utf8", "us-ascii")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class UnsupportedBody(Refusal):
    """415."""

    status = 415

    def __init__(self) -> None:
        super().__init__("请用 UTF-8 的 JSON 或表单提交。", "Please send JSON or a form, in UTF-8.")


FORM = "express.form"
"""Where the scope of a request has its form, once it was read."""
_WORDS = (
    *("title", "text", "question", "comment", "note", "reason", "instead", "for"),
    *("about", "what", "zh", "en", "rule", "parts"),
)
"""Fields of forms that people write words into."""


class LargeBody(Refusal):
    """413: more words than a body may have; files count apart."""

    status = 413

    def __init__(self) -> None:
        super().__init__("内容太大，请缩短后再提交。", "Too much text; please shorten it.")


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body: `fields` for a model, `form` as it was typed (empty for JSON)."""

    fields: dict[str, Any] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    is_form: bool = False
    wrong: Refusal | None = None
    """Why it could not be read, where that is answered only after what comes first."""
    size: int = 0
    """Bytes, for limits that count them."""
    pairs: tuple[tuple[str, str], ...] = ()
    """A form field by field, also what stands in it several times."""
    files: tuple[SentFile, ...] = ()

    def with_list(self, name: str) -> dict[str, Any]:
        """The fields, of a form all that was chosen as `name`; or what is wrong raised."""
        fields = self.values()
        if not self.is_form or name not in fields:
            return fields
        return fields | {name: [value for key, value in self.pairs if key == name]}

    def values(self) -> dict[str, Any]:
        """The fields, or what is wrong raised."""
        if self.wrong is not None:
            raise self.wrong
        return self.fields


async def read_body(
    request: Request,
    *,
    may_be_empty: bool = False,
    multipart: bool = False,
    late: bool = False,
    most_fields: int = MOST_FIELDS,
    files: Files | None = None,
) -> ParsedBody:
    """The body as fields: 415 for another type, 400 cannot be parsed, 422 not an object.

    A form with a dot in a name (`contact.email`) nests. `multipart` takes such a form too, without
    files; `files` with those that it names. `most_fields` is for one that is a whole table. `late`
    gives what is wrong with the body back instead of raising it.
    """
    try:
        if files is not None and _kind(request) == _MULTIPART:
            parsed = await _with_files(request, files, most_fields)
        else:
            parsed = await _read(request, may_be_empty, multipart, most_fields)
    except Refusal as refusal:
        if not late:
            raise
        return ParsedBody(wrong=refusal)
    request.scope[FORM] = parsed.form
    return parsed


def words_typed(request: Request) -> list[str]:
    """What somebody wrote into the form that came with this request: the page of an error gives it
    back, as a page of staff is kept by no browser."""
    form: dict[str, str] = request.scope.get(FORM, {})
    return [form[name] for name in _WORDS if form.get(name, "").strip()]


async def body_as(request: Request, model: type[M], *, context: dict[str, Any] | None = None) -> M:
    """A JSON body as `model`; 422 by field where it is not one."""
    body = await read_body(request)
    if body.is_form:
        raise UnsupportedBody
    return checked(model, body.fields, context=context)


def checked(model: type[M], values: dict[str, Any], *, context: dict[str, Any] | None = None) -> M:
    """`values` as `model`; 422 by field where they are not one."""
    try:
        return model.model_validate(values, context=context)
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


async def _read(
    request: Request, may_be_empty: bool, multipart: bool, most_fields: int
) -> ParsedBody:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    known = kind in ("", _FORM) or is_json(kind) or (multipart and kind == _MULTIPART)
    raw = await request.body()
    if may_be_empty and not raw.strip():
        return ParsedBody(is_form=kind in (_FORM, _MULTIPART))
    if encoding != "identity" or _charset(parameters) not in _UTF8 or not known:
        raise UnsupportedBody
    if kind == _MULTIPART:
        return await _parts(request, raw, most_fields)
    return _form(_pairs(raw, most_fields), len(raw)) if kind == _FORM else _json(raw)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _with_files(request: Request, files: Files, most_fields: int) -> ParsedBody:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    parameters = request.headers.get("content-type", "").partition(";")[2]
    if encoding != "identity" or _charset(parameters) not in _UTF8:
        raise UnsupportedBody
    limits = PartLimits(fields=most_fields, text=MAX_FIELD, files=files)
    try:
        pairs, sent = await read_parts(request.headers["content-type"], request.stream(), limits)
    except TooMuchText:
        raise LargeBody from None
    except NotMultipart:
        raise Malformed("这个表单读不懂。", "This form cannot be read.") from None
    size = sum(len(name) + len(value.encode()) for name, value in pairs)
    return replace(_form(pairs, size), files=tuple(sent))


def _charset(parameters: str) -> str:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return ""


def _json(raw: bytes) -> ParsedBody:
    try:
        fields = from_json(raw, allow_inf_nan=False)
    except ValueError:
        # Half a character can be parsed by some, and stored by nobody: the field that has it is
        # named by what checks the fields.
        fields = _json_with_half_characters(raw)
    if not isinstance(fields, dict):
        raise Unacceptable("需要一个 JSON 对象。", "A JSON object is needed.")
    return ParsedBody(fields, size=len(raw))


def _json_with_half_characters(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_such_number)
    except (ValueError, RecursionError):
        raise Malformed("这不是能读懂的 JSON。", "This is not JSON that can be read.") from None


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _pairs(raw: bytes, most_fields: int) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=most_fields
        )
    except ValueError:
        raise Malformed("这个表单读不懂。", "This form cannot be read.") from None


async def _parts(request: Request, raw: bytes, most_fields: int) -> ParsedBody:
    try:
        # The parser would take for Latin-1 what is no UTF-8, and people read nonsense.
        raw.decode("utf-8")
        form = await request.form(max_files=0, max_fields=most_fields, max_part_size=MAX_FIELD)
    except (HTTPException, UnicodeDecodeError):
        raise Malformed("这个表单读不懂。", "This form cannot be read.") from None
    return _form([(k, v) for k, v in form.multi_items() if isinstance(v, str)], len(raw))


def _form(pairs: list[tuple[str, str]], size: int) -> ParsedBody:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        outer, dot, inner = name.partition(".")
        if not dot:
            fields[name] = value
        else:
            nested = fields.setdefault(outer, {})
            if isinstance(nested, dict):
                nested[inner] = value
    return ParsedBody(fields, dict(pairs), is_form=True, size=size, pairs=tuple(pairs))
