"""What a message may draw on, and the catalogue its sentences come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.web import catalogue
from shared.web.letter import ReplyLetter

LOCALES = Path(__file__).parents[1] / "locales"


@dataclass(frozen=True)
class Details:
    """What a message may draw on."""

    url: str
    locale: str = "zh"
    received_at: datetime | None = None
    due: datetime | None = None
    title: str = ""
    channel: str = "email"
    part: int | None = None
    """Which of the matters that the comment was split into."""
    params: dict[str, Any] = field(default_factory=dict)
    department_name: Callable[[str | None, str], str] = lambda code, locale: code or ""
    short: bool = False
    """The words are too long for this channel: say where they stand."""
    site: str = ""
    """What the address of every page begins with."""
    answerable: bool = False
    """Somebody reads what is sent back to our address."""

    @property
    def department(self) -> str:
        return self.department_name(self.params.get("department"), self.locale)

    @property
    def reply(self) -> ReplyLetter:
        """The letter of a reply."""
        return ReplyLetter(
            text=str(self.params.get("text", "")),
            locale=self.locale,
            link=self.url,
            who=self.department,
            received_at=self.received_at,
            part=self.part,
            outcome=self.params.get("outcome"),
            rule=self.params.get("rule"),
            through=bool(self.params.get("through")),
        )

    def say(self, zh: str, **values: str) -> str:
        """The sentence in the reader's language."""
        words = catalogue.load([LOCALES], self.locale).get(zh, zh)
        return words.format(**values) if values else words

    def link(self, zh: str) -> str:
        """The sentence, and the address of the page below it."""
        return f"{self.say(zh)}\n{self.url}"

    def moment(self, name: str) -> datetime | None:
        """A moment among the parameters."""
        value = self.params.get(name)
        return datetime.fromisoformat(value) if value else None

    def words(self, instead: str) -> str:
        """What a person wrote, untouched; `instead` where it is too long for this channel."""
        return self.say(instead) if self.short else str(self.params.get("text", ""))
