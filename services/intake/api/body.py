"""Reading what strangers send: JSON or a form, and nothing that could surprise later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json
from starlette.requests import Request

from shared.contracts.refusal import Malformed, Refusal, Unacceptable

_MOST_FIELDS = 100
_UTF8 = ("", "utf-8", "utf8", "us-ascii")


class Unsupported(Refusal):
    """415."""

    status = 415


@dataclass(frozen=True, slots=True)
class Sent:
    """A body: `values` for the model, `form` as it was typed (empty for JSON).

    `wrong` is why it could not be read, where that is told only after what comes first.
    """

    values: dict[str, Any]
    form: dict[str, str] = field(default_factory=dict)
    wrong: Refusal | None = None


async def read_body(request: Request, *, may_be_empty: bool = False) -> Sent:
    """The body as fields. 400 cannot be parsed, 415 another type, 422 not an object."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    charset = _charset(rest)
    is_form = kind == "application/x-www-form-urlencoded"
    is_json = kind in ("", "application/json") or kind.endswith("+json")
    if encoding != "identity" or charset not in _UTF8 or not (is_form or is_json):
        raise Unsupported(
            "请用 UTF-8 的 JSON 或表单提交。", "Please send JSON or a form, in UTF-8."
        )
    raw = await request.body()
    if may_be_empty and not raw.strip():
        return Sent({})
    return _form(raw) if is_form else _json(raw)


def _charset(parameters: str) -> str:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return ""


def _json(raw: bytes) -> Sent:
    try:
        values = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        if "hex escape" in str(error) or "surrogate" in str(error):
            # Half a character: it can be parsed by some, and stored by nobody.
            words = ("请去掉特殊控制字符", "please remove control characters")
            raise Unacceptable(
                f"{words[0]}。", f"Half a character: {words[1]}.", errors={"body": words[1]}
            ) from None
        raise Malformed("这不是能读懂的 JSON。", "This is not JSON that can be read.") from None
    if not isinstance(values, dict):
        raise Unacceptable("需要一个 JSON 对象。", "A JSON object is needed.")
    return Sent(values)


def _form(raw: bytes) -> Sent:
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Malformed("这个表单读不懂。", "This form cannot be read.") from None
    values: dict[str, Any] = {}
    form: dict[str, str] = {}
    for name, value in pairs:
        form[name] = value
        outer, dot, inner = name.partition(".")
        if not dot:
            values[name] = value
        else:
            nested = values.setdefault(outer, {})
            if isinstance(nested, dict):
                nested[inner] = value
    return Sent(values, form)
