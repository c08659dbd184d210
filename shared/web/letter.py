"""The letter that carries a reply: what notification sends, and desk shows before it is sent.

Two services word it alike because both find it here; everything else that is written to reporters
stands in notification.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shared.moments import written_day
from shared.web import catalogue, names

LOCALES = Path(__file__).parent / "locales"
WECHAT_BYTES = 2048
"""As UTF-8: what a text message of an official account may hold."""


def say(zh: str, locale: str, **values: str) -> str:
    """The sentence in the reader's language."""
    words = catalogue.load([LOCALES], locale).get(zh, zh)
    return words.format(**values) if values else words


def yours(received_at: datetime | None, locale: str, part: int | None = None) -> str:
    """What a letter is about: never in the reporter's own words. `part`: which of the matters that
    their comment was split into, as their page numbers them."""
    if received_at is None:
        return say("您的反馈", locale)
    day = written_day(received_at, locale)
    if part is not None:
        return say("您{day}留下的反馈（其中第{n}件）", locale, day=day, n=str(part))
    return say("您{day}留下的反馈", locale, day=day)


def office(locale: str) -> str:
    """Who answers without a department."""
    return say("用户关系办公室", locale)


def titled(subject: str, received_at: datetime | None, locale: str, part: int | None = None) -> str:
    """A subject by which somebody with two comments tells them apart, by the day they wrote, and
    the matters of one by their number."""
    if received_at is None:
        return subject
    day = written_day(received_at, locale)
    if part is not None:
        return say("{subject}（{day}，第{n}件）", locale, subject=subject, day=day, n=str(part))
    return say("{subject}（{day}）", locale, subject=subject, day=day)


def framed(locale: str, subject: str, *body: str) -> list[str]:
    """Subject, greeting, body and signature; `subject` is a sentence of this module's caller."""
    return [subject, say("您好：", locale), *body, say("图书馆用户关系办公室", locale)]


def foundations(outcome: str | None, rule: str | None, locale: str) -> list[str]:
    """With what result a reply was given, and on what it rests; one line each."""
    found = []
    if outcome in names.OUTCOMES:
        words = names.pick("outcome", names.OUTCOMES, outcome, locale)
        found.append(say("结果：{outcome}", locale, outcome=words))
    if rule:
        found.append(say("依据：{rule}", locale, rule=rule))
    return found


_ASKED = "问题解决了吗？请在这里告诉我们；没有解决，也可以请我们重新办："
_ASKED_THROUGH = "问题解决了吗？请在这里告诉我们；没有解决，也可以补充，我们会再回应："


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLetter:
    """One reply to one reporter."""

    text: str
    """As it was written."""
    locale: str
    link: str
    """Where the reporter finds all of it."""
    who: str = ""
    """The department that answers, in the reporter's language; empty: the office itself."""
    received_at: datetime | None = None
    outcome: str | None = None
    rule: str | None = None
    part: int | None = None
    """Which of the matters that their comment was split into."""
    through: bool = False
    """It answers a case that the reporter's was joined to: that cannot be asked for again here."""

    def composed(self, *, short: bool = False) -> list[str]:
        """Subject and paragraphs; `short`: without the words, which stand behind the link."""
        locale = self.locale
        who = self.who or office(locale)
        about = yours(self.received_at, locale, self.part)
        words = self.text
        if short:
            words = say("答复比较长，这里放不下，全文在下面的页面上。", locale)
        asked = say(_ASKED_THROUGH if self.through else _ASKED, locale)
        return framed(
            locale,
            titled(say("您的反馈有答复了", locale), self.received_at, locale, self.part),
            say("关于{yours}，{who}答复如下：", locale, yours=about, who=who),
            words,
            "\n".join(foundations(self.outcome, self.rule, locale)),
            "——",
            f"{asked}\n{self.link}",
        )

    def message(self, channel: str, *, short: bool = False) -> tuple[str, str, bool]:
        """Subject, text, and whether the words were left out since `channel` does not hold them.

        A WeChat message shows its text only. `short`: it was found to be too long before.
        """
        subject, text = joined(self.composed(short=short))
        too_long = channel == "wechat" and len(text.encode("utf-8", "replace")) > WECHAT_BYTES
        if too_long and not short:
            return (*joined(self.composed(short=True)), True)
        return subject, text, short


def joined(parts: list[str]) -> tuple[str, str]:
    """Subject and text of what a writer composed."""
    subject, *paragraphs = parts
    return subject, "\n\n".join(one for one in paragraphs if one) + "\n"
