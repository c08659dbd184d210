"""What people make of a code or an id when they type, paste or photograph it."""

from __future__ import annotations

import pytest

from shared.ids import id_as_typed, new_id
from shared.security import Signer, code_hash, code_in, plain_code

CODE = "K7QX-2M9D-PL4T-W3HV-0A1B"


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


@pytest.mark.parametrize(
    "typed",
    [
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        full_width(CODE),
        full_width(CODE.lower()),
        *(CODE.replace("-", dash) for dash in "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d_·"),
        f"\u200b{CODE}\ufeff",
        CODE.replace("-", "\u3000"),
        CODE.replace("-", "\u00ad-\u200d"),
        CODE.replace("0", "O").replace("1", "I"),
        CODE.replace("0", "o").replace("1", "l"),
        f"查询码：{CODE}。",
        f"“{CODE}”\n",
    ],
)
def test_a_code_is_found_however_it_was_typed(typed: str) -> None:
    assert plain_code(typed) == plain_code(CODE)
    assert code_hash(typed) == code_hash(CODE)


@pytest.mark.parametrize(
    "pasted",
    [
        CODE,
        CODE.replace("-", ""),
        full_width(CODE),
        f"https://lib.example.edu/feedback/track/{CODE}?lang=en",
        f"https://lib.example.edu/track/{CODE.replace('-', '%E2%80%91')}",
        f"Tracking code: {CODE}",
        f"Tracking code: {CODE.replace('-', '')}, thank you",
        f"my code {CODE}, thank you",
        f"查询码：{CODE.lower()}。",
        f"Your code: {CODE.replace('-', ' ')}.",
    ],
)
def test_a_code_is_found_in_what_was_pasted(pasted: str) -> None:
    assert code_in(pasted) == plain_code(CODE)


def test_what_is_no_code_is_not_genuine() -> None:
    signer = Signer("secret")
    code = signer.tracking_code()
    assert signer.is_genuine(full_width(code))
    for other in ("", "——", "查询码", code[:-1], code + "A", "К" + code[1:], "²" * 20):
        assert not signer.is_genuine(other)


def test_an_id_is_found_however_it_was_typed() -> None:
    known = new_id()
    for typed in (
        known.upper(),
        full_width(known),
        f" {known}\u200b",
        known.replace("-", "\u2011"),
    ):
        assert id_as_typed(typed) == known
    for other in ("", "占座", "01a2", "z" * 32):
        assert id_as_typed(other) == other
