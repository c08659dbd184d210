"""Saying no: an expected refusal that carries its HTTP status and words in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class Refusal(Exception):
    """Something that may not be done, said so that the reader knows what to do instead.

    Subclasses set `status`; `allowed` names what is possible now, `errors` says what
    is wrong by field.
    """

    status = 400
    without: str | None = None
    """The parameter of the address without which it can be answered."""

    def __init__(
        self,
        zh: str,
        en: str,
        *,
        allowed: Sequence[str] | None = None,
        errors: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en
        self.allowed = None if allowed is None else list(allowed)
        self.errors = None if errors is None else dict(errors)
        self.retry_after = retry_after

    def detail(self, locale: str) -> str:
        """The sentence in the reader's language."""
        return self.en if locale == "en" else self.zh


class Malformed(Refusal):
    """400: cannot be read at all."""


class NotSignedIn(Refusal):
    """401."""

    status = 401


class Forbidden(Refusal):
    """403: your role may not."""

    status = 403


class NotFound(Refusal):
    """404: unknown, or not yours to see; the two look alike."""

    status = 404

    def __init__(
        self,
        zh: str = "没有找到。请检查链接或编号是否完整。",
        en: str = "Nothing found here. Please check the link or code.",
    ) -> None:
        super().__init__(zh, en)


class Conflict(Refusal):
    """409: not in this state."""

    status = 409


class Unacceptable(Refusal):
    """422: understood, but not right; `errors` says where."""

    status = 422


class NoSuchChoice(Unacceptable):
    """422: a filter asks for a value that does not exist; a page leads on without that filter.

    `name` is the parameter, `possible` says what it may be.
    """

    def __init__(self, name: str, possible: Iterable[str] = ()) -> None:
        zh, en = _FILTERS.get(name, (f"“{name}”", f"value of “{name}”"))
        may_be = list(possible)
        zh, en = f"没有这个{zh}。", f"There is no such {en}."
        errors = {name: f"{zh} | {en}"}
        if may_be:
            zh, en = f"{zh}可以是：{'、'.join(may_be)}。", f"{en} It can be: {', '.join(may_be)}."
        super().__init__(zh, en, errors=errors)
        self.without = name


_FILTERS = {
    "department": ("部门", "department"),
    "category": ("类别", "category"),
    "channel": ("渠道", "channel"),
    "priority": ("优先级", "priority"),
    "state": ("状态", "state"),
    "queue": ("队列", "queue"),
    "period": ("时段", "period"),
    "measure": ("指标", "measure"),
    "detail": ("细目", "detail of this number"),
    "reporter_group": ("读者群体", "group of readers"),
    "kind": ("种类", "kind"),
    "at": ("日子", "day here"),
    "skip": ("翻页位置", "place in this list"),
    "from": ("版本", "version to compare"),
    "to": ("版本", "version to compare"),
}


class TooMany(Refusal):
    """429: slow down; `retry_after` says how many seconds."""

    status = 429


class Unavailable(Refusal):
    """503: try again in a moment."""

    status = 503
