"""What of an earlier answer may be said again: whole sentences in which nobody is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from services.desk.domain.canned import with_places
from shared.privacy import PLACEHOLDERS

_SENTENCE = re.compile(r"[^。！？!?\n]+(?:[。！？!?]+|$)|[^\n]+", re.MULTILINE)
_END_OF_ENGLISH = re.compile(
    r"(?<!\bMr\.)(?<!\bM[sx]\.)(?<!\bMrs\.)(?<!\bDr\.)(?<=[a-z)]\.)\s+(?=[A-Z])"
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_STOP = r"[\s，,、；;：:。.！!？?~～—-]"
_WHO = r"(?:同学|读者|老师|朋友|先生|女士)们?"
# To whom it is said, and the hello; what follows belongs to the answer.
_GREETING = re.compile(
    rf"(?:(?:(?:尊敬|敬爱|亲爱)的[^，,。！!：:]{{1,10}}?|各位{_WHO}?|[\u4e00-\u9fff]{{0,3}}?{_WHO})?"
    rf"[，,：:]?(?:(?:您们?|你们?|大家)好(?![像多几])|(?:早上|上午|中午|下午|晚上)?好(?={_STOP}|$)){_STOP}*"
    rf"|(?:(?:尊敬|敬爱|亲爱)的[^，,。！!：:]{{1,10}}|(?:各位)?{_WHO})(?:[，,：:]|$){_STOP}*"
    rf"|[\u4e00-\u9fff]{{1,3}}(?:{_WHO}(?:[：:]|$)|[您你]好(?={_STOP}|$)){_STOP}*"
    r"|(?i:dear)\b[^,:!\n]{0,40}(?:[,:!]|$)[\s—-]*"
    r"|(?i:hello|hi|good (?:morning|afternoon|evening))\b(?!-)"
    r"(?: (?:there|all|everyone|everybody|(?i:dear )?"
    r"(?:reader|student|[A-Z][\w.]*(?: [A-Z]\w*){0,2}))(?=[,.:!]|$))?[\s,.:!—-]*"
    rf"|(?:此致|敬礼|(?:顺)?祝(?:您|你|大家)?[^，,。]{{0,6}}(?:好|快乐|愉快|顺利))(?:{_STOP}+|$)"
    r"|(?i:(?:best|kind|warm) (?:regards|wishes)|yours (?:sincerely|faithfully))(?:[,.!]|$).*"
    r")+"
)
# Whom a greeting calls by name after a comma.
_CALLED = re.compile(
    r"[A-Z]\w+(?: [A-Z]\w*){0,2},|(?!周[一二三四五六日天末]|马上|高峰)"
    r"[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗][\u4e00-\u9fff]{1,2}[，：]"
)
_THANKS = re.compile(
    r"(?:^|(?<![，,、；;—\s])[，,、；;—\s]++)(?:再次|最后|也|并|非常|十分|衷心|诚挚|地|向您表示)*(?:感谢|谢谢|多谢)"
    r"(?:您|你|大家|同学|读者|老师|各位|们|来信|反馈|反映|意见|建议|提醒|关心|关注|支持|理解|监督|配合"
    r"|谅解|指出|告知|告诉|对|图书馆|本馆|我馆|我们|工作|服务|宝贵|的|了|和|与|及|、)*[。！!~～\s]*$"
    r"|(?:^|(?<![\s,;—-])[\s,;—-]++)(?i:(?:and |with )?(?:many |our )?(?:thanks|thank you)"
    r"(?: again| so much| very much| a lot)*"
    r"(?: for (?:(?:the|your) (?:\w+ ){0,2}\w+|writing(?: to us| in)?"
    r"|(?:letting|telling) us(?: know)?|asking|pointing (?:it|this|that) out))?)[.!\s]*$"
)
_GOOD = r"(?:好|快乐|愉快|顺利|进步|成功|健康|安康|如意|有成|开心)"
_WISH = re.compile(
    r"(?:^|(?<![，,、；;—\s])[，,、；;—\s]++)(?:最后|也|并|再次|顺|敬|谨)*(?:祝愿?|愿)"
    rf"(?:您们?|你们?|大家|各位|{_WHO})*"
    rf"[^，,、；;。！!]{{0,8}}{_GOOD}(?:[，,、；;和]?[^，,、；;。！!]{{0,6}}{_GOOD}){{0,2}}[。！!~～\s]*$"
    r"|(?:^|(?<![\s,;—-])[\s,;—-]++)(?i:(?:and )?(?:have an? (?:nice|good|great|lovely|pleasant) "
    r"(?:day|weekend|evening|time|term)|(?:we )?wish(?:ing)? you [\w ]{1,40}))[.!\s]*$"
)
# Placeholders of masking, numbers and codes, and whoever is called by a name.
_ABOUT_SOMEBODY = re.compile(
    rf"{'|'.join(PLACEHOLDERS)}"
    r"|[\[［【][^\[［【\]］】]*[\]］】]|\d{5,}|\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2,}|@|https?://"
    r"|[\u4e00-\u9fff](?:同学|先生|女士|小姐)(?!们|好|您好)|\b(?:Mr|Ms|Mrs|Dr)\.? [A-Z]"
)
_TITLED = re.compile(
    r"(?:[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗])(?:\w)?(?:老师|馆员|师傅|主任)"
)
SHORTEST, LONGEST, MOST = 6, 300, 8
_HERE, _VALUE = "\ue000", 120
"""What stands for a variable, which no letter has; and characters of a value."""
_OLD = timedelta(days=365)


def sentences(reply: str, frames: Iterable[re.Pattern[str]] = ()) -> list[str]:
    """The sentences of a masked public reply that may be taken over, at most `MOST`.

    What is masked or may name somebody, and what has a number or an address of one case, is left
    out, and what only leads to something else, or is of a canned reply (`frames`, see
    `frames_of`): that is chosen by itself, and has another case's date in it. Of a sentence that
    begins with a greeting or ends with thanks, only these are left out.
    """
    found: list[str] = []
    for one in _said_in(reply):
        fits = SHORTEST <= len(one) <= LONGEST and one not in found and one[-1] not in "：:"
        named = fits and (_ABOUT_SOMEBODY.search(one) or _TITLED.search(one))
        if fits and not named and not any(frame.fullmatch(one) for frame in frames):
            found.append(one)
    return found[:MOST]


def frames_of(canned: Iterable[str]) -> list[re.Pattern[str]]:
    """What the sentences of these canned replies look like with anything for their variables."""
    found: dict[str, None] = {}
    for text in canned:
        for one in _said_in(with_places(text, _HERE)):
            plain = "".join(c for c in one if c.isalnum())
            if len(plain) >= SHORTEST:
                found[one] = None
    return [_frame(one) for one in found]


def _frame(sentence: str) -> re.Pattern[str]:
    # What follows a variable is taken where it stands first: commas are not tried in every order.
    first, *others = re.escape(sentence).split(_HERE)
    value = f".{{0,{_VALUE}}}?"
    between = "".join(f"(?>{value}{words})" for words in others[:-1])
    return re.compile(first + between + "".join(value + words for words in others[-1:]))


def _said_in(reply: str) -> Iterator[str]:
    """Its sentences, without courtesies."""
    for said in _SENTENCE.findall(reply):
        for whole in _END_OF_ENGLISH.split(said.strip()):
            if one := _without_courtesies(whole):
                yield one


def _without_courtesies(sentence: str) -> str:
    """What is left of it; nothing of one that is too long, however it begins, to be looked at."""
    one = sentence if len(sentence) <= 2 * LONGEST else ""
    if greeting := _GREETING.match(one):
        one = one[greeting.end() :]
        if _CALLED.match(one):
            return ""
        one = one[:1].upper() + one[1:]
    whole = one
    while closing := _WISH.search(one) or _THANKS.search(one):
        one = one[: closing.start()]
    if one == whole:
        return one
    return one and one + ("。" if _CHINESE.search(one) else ".")


def said_once(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers, the best first, each with the `sentences` that none before it has; one that says
    nothing new is left out, and counted in the `answered` of the first that says the same."""
    kept: list[dict[str, Any]] = []
    first: dict[str, dict[str, Any]] = {}
    for item in items:
        new = [one for one in item["sentences"] if one not in first]
        if not new:
            first[item["sentences"][0]]["answered"] += 1
            continue
        kept.append(item | {"sentences": new, "answered": 1})
        first |= dict.fromkeys(new, kept[-1])
    return kept


def worth(likeness: float, *, stars: int | None, reopened: bool, age: timedelta) -> float:
    """How good an example an answer is: as alike as it is, better where the reporter was content,
    worse where it was asked about once more or is old."""
    content = 0.05 * ((stars or 3) - 3)
    return likeness + content - 0.2 * reopened - 0.1 * min(1.0, age / _OLD)


def age_of(replied_at: datetime, now: datetime) -> timedelta:
    """How old an answer is."""
    return max(timedelta(0), now - replied_at)
