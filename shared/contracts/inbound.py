"""What comes in from outside: the body of a comment, and of one that a program sends.

The same rules hold everywhere. Words are kept as typed but for line ends and blank ends;
what no page, mail or log line could carry is refused with a sentence in both languages.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)

MAX_TEXT = 50_000
MAX_TITLE = 200
MAX_REASON = 5_000

_FORBIDDEN = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
# Blank in fact, though Unicode calls them letters or marks: fillers, variation selectors.
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()\-./+*#转]{2,38}(?:ext\.? ?[0-9]{1,6})?", re.IGNORECASE)
_DASHES = re.compile("[\u2010-\u2015\u2212]+")
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


def is_blank(text: str) -> bool:
    """True when nothing in `text` can be seen."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp"):
            continue
        if not _FILLERS.match(character):
            return False
    return True


def as_typed(text: str) -> str:
    """`text` with LF line ends and without blank ends; NUL and lone surrogates are refused."""
    if _FORBIDDEN.search(text):
        raise ValueError("请去掉特殊控制字符 | please remove control characters")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def one_line(text: str) -> str:
    """A name, a title, an address: what would end a header line is refused."""
    text = text.strip()
    if _CONTROL.search(text) or _FORBIDDEN.search(text):
        raise ValueError("请写成一行，不要控制字符 | one line without control characters, please")
    return text


def _words(most: int) -> Any:
    """Words that must be there, at most `most` characters after cleaning."""

    def check(text: str) -> str:
        text = as_typed(text)
        if is_blank(text):
            raise ValueError("请写点什么 | please write something")
        return _fits(text, most)

    return AfterValidator(check)


def _fits(text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(f"最多 {most} 个字 | at most {most} characters")
    return text


def _line(most: int, *, empty: Any = None) -> Any:
    """One line, or `empty` where nothing can be seen."""

    def check(text: str | None) -> Any:
        text = one_line(text or "")
        return empty if is_blank(text) else _fits(text, most)

    return AfterValidator(check)


def _present(most: int) -> Any:
    """One line that must be there."""

    def check(text: str) -> str:
        text = one_line(text)
        if is_blank(text):
            raise ValueError("必填 | required")
        return _fits(text, most)

    return AfterValidator(check)


def _half_width(text: str | None) -> str | None:
    """An address or a number as a Chinese keyboard types it, in the signs that it is made of."""
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).replace("。", ".")
    return _DASHES.sub("-", "".join(c for c in plain if unicodedata.category(c) != "Cf")).strip()


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    local, _, domain = text.rpartition("@")
    if len(text) > 254 or len(local) > 64 or not domain or not _ADDRESS.fullmatch(text):
        raise ValueError("这不像一个邮箱地址 | this does not look like an e-mail address")
    return text


def _phone(text: str | None) -> str | None:
    if text is not None and not _PHONE.fullmatch(text):
        raise ValueError("这不像一个电话号码 | this does not look like a phone number")
    return text


def _known_category(text: str | None, info: ValidationInfo) -> str | None:
    """One of the validation context's ``categories``; any where the context names none."""
    known = (info.context or {}).get("categories")
    if text is not None and known and text not in known:
        raise ValueError(f"没有这个类别 | must be one of {', '.join(known)}")
    return text


def _locale(value: Any) -> Any:
    code = value[:2].lower() if isinstance(value, str) else None
    return code if code in ("zh", "en") else None


def _flag(value: Any) -> Any:
    """A box that is not ticked arrives as nothing at all, as null or as an empty text."""
    return False if value is None or value == "" else value


def _not_before_computers(value: datetime | None) -> datetime | None:
    if value is not None and value < _EARLIEST:
        raise ValueError("时间太早了 | this is too long ago")
    return None if value is None else value.astimezone(UTC)


WhenSaid = Annotated[AwareDatetime | None, AfterValidator(_not_before_computers)]


def _number_too(value: Any) -> Any:
    """Programs often number their messages with numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _says(**schema: int) -> Any:
    """What the published schema says; the validators decide."""
    return Field(json_schema_extra=dict(schema))


def as_id(text: str | None) -> str | None:
    """An id as we write it; `ValueError` for what is none."""
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        raise ValueError("这不是事件的编号 | this is not the id of an incident") from None


Text = Annotated[str, _words(MAX_TEXT), _says(minLength=1, maxLength=MAX_TEXT)]
Reason = Annotated[str, _words(MAX_REASON), _says(minLength=1, maxLength=MAX_REASON)]
Name = Annotated[str | None, _line(80), _says(maxLength=80)]
Place = Annotated[str | None, _line(200), _says(maxLength=200)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class InboundContact(BaseModel):
    """How the reporter may be reached. Everything is optional."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    name: Name = None
    email: Annotated[
        str | None,
        _line(254),
        AfterValidator(_half_width),
        AfterValidator(_address),
        _says(maxLength=254),
    ] = None
    phone: Annotated[
        str | None,
        _line(40),
        AfterValidator(_half_width),
        AfterValidator(_phone),
        _says(maxLength=40),
    ] = None
    wechat_openid: Annotated[str | None, _line(128), _says(maxLength=128)] = None


class FeedbackBody(BaseModel):
    """A comment as anybody may send it. Fields that are not ours to take are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: Text
    title: Annotated[str | None, _line(MAX_TITLE, empty=""), _says(maxLength=MAX_TITLE)] = ""
    category: Annotated[str | None, _line(40), AfterValidator(_known_category)] = None
    place: Place = None
    locale: Annotated[Literal["zh", "en"] | None, BeforeValidator(_locale)] = None
    anonymous: Flag = False
    confidential: Flag = False
    contact: InboundContact | None = None
    incident: Annotated[str | None, _line(40), AfterValidator(as_id)] = None
    """The open incident that this is one more case of ("me too")."""


class InboundFeedback(FeedbackBody):
    """What an adapter sends, over HTTP or on ``feedback.inbound``."""

    channel: Annotated[str, _present(40), _says(minLength=1, maxLength=40)]
    """``web desk wechat email phone api``; another name is kept and counts as ``other``."""
    source_message_id: Annotated[
        str, BeforeValidator(_number_too), _present(255), _says(minLength=1, maxLength=255)
    ]
    """The sender's own number of the message: sent again, it is the same comment."""
    account: Annotated[str | None, _line(100), _says(maxLength=100)] = None
    """Whose numbers these are; the name of the token (or ``kafka``) when left out."""
    occurred_at: WhenSaid = None
    """When it was said; shown, while every promise runs from receipt. Not in the future."""
    reporter_group: Annotated[str | None, _line(40)] = None
    """Of whom the reporter is one, where the sender knows: a code of the library's, such as
    ``students``."""
