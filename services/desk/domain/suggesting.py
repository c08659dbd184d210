"""What of an earlier answer may be said again: whole sentences in which nobody is named."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_SENTENCE = re.compile(r"[^。！？!?\n]+(?:[。！？!?]+|$)|[^\n]+", re.MULTILINE)
_END_OF_ENGLISH = re.compile(r"(?<=[a-z)]\.)\s+(?=[A-Z])")
_GREETING = re.compile(
    r"^(?:(?:尊敬的|亲爱的)?(?:同学|读者|老师|您|你)[^，。]{0,6}好"
    r"|dear |hello|hi\b|此致|敬礼|祝好|best regards)",
    re.IGNORECASE,
)
# Placeholders of masking, numbers and codes, and whoever is called by a name.
_ABOUT_SOMEBODY = re.compile(
    r"[\[［【][^\]］】]*[\]］】]|\d{5,}|\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2,}|@|https?://"
    r"|[\u4e00-\u9fff](?:同学|先生|女士|小姐)(?!们|好|您好)|\b(?:Mr|Ms|Mrs|Dr)\.? [A-Z]"
)
_TITLED = re.compile(
    r"(?:[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗])(?:\w)?(?:老师|馆员|师傅|主任)"
)
SHORTEST, LONGEST, MOST = 6, 300, 8
_OLD = timedelta(days=365)


def sentences(reply: str) -> list[str]:
    """The sentences of a masked public reply that may be taken over, at most `MOST`.

    Greetings, what is masked or may name somebody, and what has a number or an address of one
    case are left out.
    """
    found = []
    for said in _SENTENCE.findall(reply):
        for one in _END_OF_ENGLISH.split(said.strip()):
            fits = SHORTEST <= len(one) <= LONGEST and one not in found
            if fits and not (
                _GREETING.match(one) or _ABOUT_SOMEBODY.search(one) or _TITLED.search(one)
            ):
                found.append(one)
    return found[:MOST]


def worth(likeness: float, *, stars: int | None, reopened: bool, age: timedelta) -> float:
    """How good an example an answer is: as alike as it is, better where the reporter was content,
    worse where it was asked about once more or is old."""
    content = 0.05 * ((stars or 3) - 3)
    return likeness + content - 0.2 * reopened - 0.1 * min(1.0, age / _OLD)


def age_of(replied_at: datetime, now: datetime) -> timedelta:
    """How old an answer is."""
    return max(timedelta(0), now - replied_at)
