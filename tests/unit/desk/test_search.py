from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.search import findable, fold, pattern


def matches(words: str, text: str) -> bool:
    """LIKE, as PostgreSQL does it."""
    regex, escaped = "", False
    for c in pattern(words):
        if escaped:
            regex, escaped = regex + re.escape(c), False
        elif c == "\\":
            escaped = True
        else:
            regex += ".*" if c == "%" else re.escape(c)
    return re.fullmatch(regex, findable("", text), re.DOTALL) is not None


WORDS = st.text(alphabet="ab%_\\占座 ", max_size=6)


@given(WORDS, WORDS)
def test_the_doubled_text_holds_the_doubled_word_exactly_when_the_text_holds_the_word(
    words: str, text: str
) -> None:
    assert matches(words, text) == (fold(words) in "\n" + fold(text))


def test_case_width_and_what_cannot_be_seen_make_no_difference() -> None:
    assert matches("wifi", "Ｗi\u200bＦｉ")
    assert matches("占座", "占\u202e座")
