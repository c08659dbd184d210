"""Numbers and addresses that identify a person.

They become readable placeholders; dates, prices, room and call numbers, ISBNs stay. Patterns are
bounded, so the cost is linear in the length of the text. Not recognised: numbers spelled in words
(一三八…), postal addresses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

PHONE = "〔电话〕"
EMAIL = "〔邮箱〕"
STUDENT = "〔学号〕"
IDENTITY = "〔证件号〕"
ACCOUNT = "〔账号〕"

_S = r"[ \t\u00a0\u2000-\u200d\u2010-\u2015\u2060\u3000\ufeff.·\-]{0,2}"
"""What people put between groups of digits, invisible characters included."""
_GAP = r"[^0-9〔〕\n]{0,6}?"
_DATE = r"(?!(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))"

_AT = re.compile(
    r"[ \t]?(?:@|[(\[]at[)\]])[ \t]?(?=((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}))", re.IGNORECASE
)
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-'")

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (placeholder, re.compile(pattern, re.IGNORECASE))
    for placeholder, pattern in (
        # 18 digits with a date of birth inside, also grouped 6-8-4; the old 15; passports.
        (
            IDENTITY,
            rf"(?<!\d)[1-9]\d{{5}}{_S}(?:19|20)\d{{2}}{_S}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
            rf"{_S}\d{{3}}[\dx](?!\d)",
        ),
        (IDENTITY, r"(?<!\d)\d{15,19}(?!\d)x?"),
        (IDENTITY, r"(?<![a-z0-9])(?:[eg]\d{8}|e[a-z]\d{7}|[hm]\d{8})(?!\d)"),
        (
            IDENTITY,
            rf"(?:身份证|护照|证件|passport|id card)(?:号码?|no\.?|number)?{_GAP}"
            rf"(?P<n>[a-z]{{0,2}}\d(?:[ \-]?\d){{5,18}}x?)(?![\d])",
        ),
        # What is called a student number is one, whatever its length.
        (
            STUDENT,
            rf"(?:学号|学工号|工号|学籍号|学生证号?|student\s?(?:id|no\.?|number)|\bsid)"
            rf"{_GAP}{_DATE}(?P<n>[a-z]{{0,2}}\d(?:[ \-]?\d){{5,13}})(?!\d)",
        ),
        (
            ACCOUNT,
            rf"(?:借书证|读者证|校园卡|一卡通|银行卡|饭卡|library card)(?:号码?|no\.?|number)?"
            rf"{_GAP}{_DATE}(?P<n>\d(?:[ \-]?\d){{5,18}})(?!\d)",
        ),
        (ACCOUNT, r"(?<![a-z])(?:qq|扣扣|企鹅)(?:号码?)?[:： 是为]{0,3}(?P<n>[1-9]\d{4,10})(?!\d)"),
        (
            ACCOUNT,
            r"(?:微信号|(?<![a-z])(?:wx|vx|wechat id))[:： 是为]{0,3}"
            r"(?P<n>[a-z][a-z0-9_\-]{5,19})",
        ),
        # Mobile: 3-4-4, 3-3-5, 3-8, 4-3-4, 4-4-3, with or without the country.
        (
            PHONE,
            rf"(?<!\d)(?:[(（]?(?:\+|00)?{_S}86[)）]?{_S})?"
            rf"1[3-9]\d(?:{_S}\d{{4}}{_S}\d{{4}}|{_S}\d{{3}}{_S}\d{{5}}|\d{_S}\d{{3}}{_S}\d{{4}}"
            rf"|\d{_S}\d{{4}}{_S}\d{{3}})(?!\d)",
        ),
        (PHONE, r"\+\d{1,3}(?:[ \-.()]{0,2}\d{1,4}){2,5}(?!\d)"),
        (
            PHONE,
            r"(?<![\d.\-/])[(（]?0(?:10|2\d|[3-9]\d{2})[)）]?(?:[ \-]{1,2}|(?<=[)）]))"
            r"\d{3,4}[ \-]?\d{4}(?!\d)(?:(?:转|-|ext\.?)\s?\d{1,6})?",
        ),
        (PHONE, r"(?<![\d.\-/])0(?:10|2\d|[3-9]\d{2})\d{7,8}(?!\d)(?:(?:转|-)\d{1,6})?"),
        (
            PHONE,
            rf"(?:电话|手机|座机|联系方式|致电|拨打|tel|phone|mobile|whatsapp)(?:号码?|no\.?|number)?"
            rf"{_GAP}{_DATE}(?P<n>\d(?:[ \-]?\d){{6,11}})(?!\d)",
        ),
        # Ten digits that begin like a year of entry, unless they are called something else.
        (STUDENT, r"(?<!\d)(?<!isbn)(?<!isbn.)(?<!isbn..)[12]\d{9}(?![\dx])"),
    )
)

AREA = r"(?:10|2\d|[3-9]\d{2})"
"""Area codes without their 0."""
_LANDLINE = re.compile(
    r"(?<![\d.\-/])(?:(?:(?:\+|00)86[ \-]?)?[(（]?0|(?:\+|00)86[ \-]?(?:\(0\)|[(（])?)"
    rf"{AREA}[)）]?[ \-]{{0,2}}"
    r"[2-8]\d{2,3}[ \-]?\d{4}(?! ?\d)"
    r"|(?<![\d.\-/])[48]00[ \-]?\d{3}[ \-]?\d{4}(?! ?\d)"
    # Without an area code only where it is called a telephone, and nothing else.
    r"|(?:电话|座机|致电|拨打|热线|联系方式|tel|phone)(?:号码?|no\.?|number)?"
    rf"(?:(?!学号|工号|证|卡)[^0-9〔〕\n]){{0,6}}?{_DATE}[2-8]\d{{2,3}}[ \-]?\d{{4}}(?! ?\d)",
    re.IGNORECASE,
)
"""Telephones that stand on a desk and are in nobody's pocket."""
_BEFORE_LANDLINES = 5
"""So many patterns come first: what is called an identity or student number is one."""

_NUMBER = re.compile(r"\d(?:\D{0,4}\d){4}")
"""Five digits close together: no number that is masked is shorter or further apart."""
_HINT = re.compile(
    r"[@\uff20\uff21-\uff3a\uff41-\uff5a]|[(\[\uff08\uff3b]at|微信号|wx|vx|wechat id", re.IGNORECASE
)
_HINT_BEGINS = re.compile(r"[@\uff20-\uff3a\uff41-\uff5a(\[\uff08\uff3b微wWvV]")
"""A character that begins a hint: ten times as fast to miss as a hint itself."""


def mask_numbers(text: str, own: Collection[str] | None = None) -> str:
    """`text` with phone, e-mail, student, identity and account numbers as placeholders.

    `own` for words of staff: landlines stay, and so do these addresses (``desk@lib.example``) and
    those at these domains (``lib.example``), in lower case.
    """
    if _NUMBER.search(text) or (_HINT_BEGINS.search(text) and _HINT.search(text)):
        return _mask(text, own)
    return text


def _mask(text: str, own: Collection[str] | None = None) -> str:
    shadow = _narrow(text)
    claims: list[tuple[int, int, str]] = []

    def claim(start: int, end: int, placeholder: str) -> str:
        claims.append((start, end, placeholder))
        return "\0" * (end - start)

    shadow = _claim_addresses(shadow, claims, own or ())
    for number, (placeholder, pattern) in enumerate(_PATTERNS):
        if number == _BEFORE_LANDLINES and own is not None:
            shadow = _LANDLINE.sub(lambda match: "\0" * len(match[0]), shadow)
        group = "n" if "n" in pattern.groupindex else 0

        def replace(
            match: re.Match[str], group: str | int = group, placeholder: str = placeholder
        ) -> str:
            start, end = match.span(group)
            if match[0].startswith("+") and sum(c.isdigit() for c in match[0]) < 8:
                return match[0]
            head = match[0][: start - match.start()]
            tail = match[0][end - match.start() :]
            return head + claim(start, end, placeholder) + tail

        shadow = pattern.sub(replace, shadow)

    parts: list[str] = []
    done = 0
    for start, end, placeholder in sorted(claims):
        parts += [text[done:start], placeholder]
        done = end
    return "".join(parts) + text[done:]


def _claim_addresses(shadow: str, claims: list[tuple[int, int, str]], own: Collection[str]) -> str:
    """Find e-mail addresses outward from each @, so that no long word is read twice."""
    done = 0
    parts: list[str] = []
    for match in _AT.finditer(shadow):
        start = match.start()
        while start > done and shadow[start - 1] in _LOCAL:
            start -= 1
        if start == match.start():
            continue
        end = match.end(1)
        domain = match[1].lower()
        if domain not in own and f"{shadow[start : match.start()]}@{domain}".lower() not in own:
            claims.append((start, end, EMAIL))
        parts += [shadow[done:start], "\0" * (end - start)]
        done = end
    return "".join(parts) + shadow[done:]


def _narrow(text: str) -> str:
    """Same length, with full-width and foreign digits and letters as ASCII."""
    table: dict[int, str] = {}
    for char in set(text):
        if char.isascii():
            continue
        if "\uff01" <= char <= "\uff5e":
            table[ord(char)] = chr(ord(char) - 0xFEE0)
        elif unicodedata.category(char) == "Nd":
            table[ord(char)] = str(unicodedata.digit(char))
    return text.translate(table) if table else text
