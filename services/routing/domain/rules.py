"""Routing rules as data: what an administrator edits, checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from services.routing.domain.text import fold
from shared.contracts.vocabulary import CATEGORIES, DEPARTMENTS, CaseType, Channel, Priority

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "rules.json"

Scope = Literal["clause", "sentence", "text"]


class RulesInvalid(ValueError):
    """The rules cannot be used; `errors` says what is wrong where, one line each."""

    status = 422

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(self.errors))


class Rule(BaseModel):
    """One rule. It fires when every condition that is given holds.

    A phrase is plain text; ``a|b`` means either, ``@name`` a named group, and a trailing ``*``
    on a Latin word any ending. Latin words match whole words only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    enabled: bool = True
    rank: int = Field(default=0, ge=-100, le=100)
    """Of equal scores the higher rank wins, and of several emergencies."""

    phrases: tuple[str, ...] = ()
    """At least one of these."""
    all_phrases: tuple[str, ...] = ()
    """Each of these as well, within `scope` of the phrase."""
    not_phrases: tuple[str, ...] = ()
    """None of these within `scope` of the phrase."""
    not_before: tuple[str, ...] = ()
    """A phrase counts only if none of these stands just before it (没有…, 快要…)."""
    scope: Scope = "sentence"
    places: tuple[str, ...] = ()
    """One of these in the place field, or in the text itself."""
    channels: tuple[Channel, ...] = ()
    chosen: tuple[str, ...] = ()
    """The category the reporter picked is one of these."""

    category: str | None = None
    department: str | None = None
    """Empty means: the owner of the category."""
    type: CaseType | None = None
    priority: Priority | None = None
    emergency: bool = False
    """Dispatched at once at P1 whatever else the comment is about."""
    weight: float = Field(gt=0, le=1)
    suppresses: tuple[str, ...] = ()
    """Categories that count much less when this rule fires; ``*`` means all others."""
    note: str = Field(min_length=1, max_length=200)
    note_en: str = Field(min_length=1, max_length=200)

    @field_validator("phrases", "all_phrases", "not_phrases", "not_before", "places")
    @classmethod
    def _say_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            for part in phrase.split("|"):
                if not fold(part.removesuffix("*")):
                    raise ValueError(f"empty phrase in {phrase!r}")
                if len(part) > 60:
                    raise ValueError(f"phrase longer than 60 characters: {part[:20]!r}…")
        return phrases

    @field_validator("department")
    @classmethod
    def _known_department(cls, code: str | None, info: ValidationInfo) -> str | None:
        known = (info.context or {}).get("departments", DEPARTMENTS)
        if code is not None and code not in known:
            raise ValueError(f"unknown department {code!r}")
        return code

    @field_validator("category")
    @classmethod
    def _known_category(cls, code: str | None) -> str | None:
        if code is not None and code not in CATEGORIES:
            raise ValueError(f"unknown category {code!r}")
        return code

    @field_validator("chosen", "suppresses")
    @classmethod
    def _known_categories(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if strange := [c for c in codes if c not in CATEGORIES and c != "*"]:
            raise ValueError(f"unknown category {strange[0]!r}")
        return codes

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.phrases or self.places or self.channels or self.chosen):
            raise ValueError("a rule needs phrases, places, channels or a chosen category")
        if (self.all_phrases or self.not_phrases or self.not_before) and not self.phrases:
            raise ValueError("guards need phrases to guard")
        if self.category is None and (self.type is None or self.emergency or self.department):
            raise ValueError("a rule without a category may only say the type")
        if self.priority is Priority.P1 and not self.emergency:
            raise ValueError("P1 is for emergencies: set emergency")
        return self

    @property
    def owner(self) -> str:
        """The department this rule speaks for (empty for a rule that only says the type)."""
        if self.category is None:
            return ""
        return self.department or CATEGORIES[self.category][2]


class RuleBook(BaseModel):
    """All rules with the groups they refer to and the bar for acting without a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1)
    confident_at: float = Field(default=0.6, gt=0, le=1)
    margin: float = Field(default=0.2, ge=0, le=1)
    chosen_weight: float = Field(default=0.45, ge=0, le=1)
    """What the category picked by the reporter is worth: a weighty hint, not a verdict."""
    groups: dict[str, tuple[str, ...]] = {}
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"rule {rule.id}: this id is used twice")
            seen.add(rule.id)
            for name in ("phrases", "all_phrases", "not_phrases", "not_before", "places"):
                for phrase in getattr(rule, name):
                    self._expand(phrase, rule.id)
        return self

    def _expand(self, phrase: str, rule_id: str) -> tuple[str, ...]:
        parts: list[str] = []
        for part in phrase.split("|"):
            if not part.startswith("@"):
                parts.append(part)
            elif part[1:] in self.groups:
                parts.extend(self.groups[part[1:]])
            else:
                raise ValueError(f"rule {rule_id}: there is no group {part!r}")
        return tuple(parts)

    def alternatives(self, phrase: str, rule_id: str = "") -> tuple[str, ...]:
        """The plain phrases that ``a|@group`` stands for."""
        return self._expand(phrase, rule_id)


def parse_rules(text: str, *, departments: Iterable[str] = DEPARTMENTS) -> RuleBook:
    """Read rules from JSON. Raises `RulesInvalid` with one readable line per mistake."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise RulesInvalid([f"not JSON: {error}"]) from error
    return check_rules(raw, departments=departments)


def check_rules(raw: object, *, departments: Iterable[str] = DEPARTMENTS) -> RuleBook:
    """Check rules that come as plain values. Raises `RulesInvalid`."""
    try:
        return RuleBook.model_validate(raw, context={"departments": frozenset(departments)})
    except ValidationError as error:
        raise RulesInvalid(_readable(raw, error)) from error


def load_rules(path: Path = SHIPPED) -> RuleBook:
    """The shipped rules, or those of another file. Raises `RulesInvalid`, `OSError`."""
    return parse_rules(path.read_text(encoding="utf-8"))


def _readable(raw: object, error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        where = list(problem["loc"])
        prefix = ""
        if len(where) >= 2 and where[0] == "rules" and isinstance(where[1], int):
            prefix = f"rule {_name_of(raw, where[1])}: "
            where = where[2:]
        field = ".".join(str(part) for part in where)
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(prefix + (f"{field}: " if field else "") + message)
    return lines


def _name_of(raw: object, number: int) -> str:
    try:
        return str(raw["rules"][number]["id"])  # type: ignore[index]
    except (TypeError, LookupError):
        return f"number {number + 1}"
