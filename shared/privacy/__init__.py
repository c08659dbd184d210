"""Masking of personal data in free text, before anything enters the event log.

`mask` knows what numbers and addresses look like, and how people say what they are called (姓名：X,
我叫X, My name is X) and who they are (我是物理系的X, I am X: `presented`); `masked` knows besides
who the reporter is. Everything else stays as it was typed, and masking twice changes nothing more.
A name that nobody gave and that no rule recognises stays, too: somebody who is spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Protocol

from shared.privacy.introduced import mask_introduced
from shared.privacy.names import NAME, mask_name
from shared.privacy.numbers import ACCOUNT, AREA, EMAIL, IDENTITY, PHONE, STUDENT, mask_numbers
from shared.privacy.presented import mask_presented

__all__ = [
    "ACCOUNT",
    "EMAIL",
    "IDENTITY",
    "NAME",
    "PHONE",
    "PLACEHOLDERS",
    "STUDENT",
    "mask",
    "masked",
    "without",
]

PLACEHOLDERS = (NAME, PHONE, EMAIL, STUDENT, IDENTITY, ACCOUNT)
"""What stands where something was masked. A document's number, 〔2025〕12号, is none."""


class Known(Protocol):
    """What is known of a person: `shared.contracts.intake.Contact`, or whatever looks like it."""

    @property
    def name(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def wechat_openid(self) -> str | None: ...


def mask(text: str, *names: str | None, own: Collection[str] | None = None) -> str:
    """Return `text` without phone, e-mail, student and identity numbers, and without `names`.

    A name is masked where it stands as a name: a word that somebody is called by stays a word.
    A name by which somebody introduces themselves is masked, whether it was given or not.
    With `own`, for words of staff, landlines and these addresses and domains stay (see
    `mask_numbers`), and who says in a reply who they are (我是信息部的X).
    """
    text = mask_numbers(text, own)
    given = [name.strip() for name in names if name and name.strip()]
    text = mask_introduced(text, given)
    if own is None:
        text = mask_presented(text, given)
    for name in given:
        text = mask_name(text, name)
    return text


def masked(
    text: str,
    *names: str | None,
    known: Known | None = None,
    own: Collection[str] | None = None,
) -> str:
    """`mask`, and without what is `known` of the reporter, whatever it looks like.

    For words about a case, by anybody: staff repeat a number that no pattern would recognise.
    `names` are further people, such as the one on whose behalf somebody speaks.
    """
    if known is None:
        return mask(text, *names, own=own)
    return mask(_unreachable(text, known), known.name, *names, own=own)


def without(text: str, *names: str | None, known: Known) -> str:
    """Only what is `known` of a person, and these names, masked: all else stays as written."""
    text = _unreachable(text, known)
    for name in (known.name, *names):
        if name and name.strip():
            text = mask_name(text, name.strip())
    return text


def _unreachable(text: str, known: Known) -> str:
    """Without their addresses and their number."""
    for value, placeholder in ((known.email, EMAIL), (known.wechat_openid, ACCOUNT)):
        if value:
            text = re.sub(re.escape(value), placeholder, text, flags=re.IGNORECASE)
    digits = re.sub(r"\D", "", known.phone or "")
    if len(digits) >= _SHORTEST_PHONE:
        text = re.sub(rf"(?<!\d){_written(digits)}(?!\d)", PHONE, text)
    return text


def _written(digits: str) -> str:
    """A pattern of the ways to write a number: grouped, a landline with and without area code."""
    groups = r"[ ()-]{0,2}"
    landline = re.fullmatch(rf"(?:(?:86)?0{AREA}|86{AREA})?([2-8]\d{{6,7}})", digits)
    if landline is None:
        return groups.join(digits)
    return rf"(?:[(（]?0{AREA}[)）]?[ -]{{0,2}})?{groups.join(landline[1])}"


_SHORTEST_PHONE = 5
"""Digits; what is shorter is a number of anything."""
