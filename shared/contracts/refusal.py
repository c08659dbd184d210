"""Saying no: an expected refusal that carries its HTTP status and words in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Refusal(Exception):
    """Something that may not be done, said so that the reader knows what to do instead.

    Subclasses set `status`; `allowed` names what is possible now, `errors` says what
    is wrong by field.
    """

    status = 400

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


class TooMany(Refusal):
    """429: slow down; `retry_after` says how many seconds."""

    status = 429


class Unavailable(Refusal):
    """503: try again in a moment."""

    status = 503
