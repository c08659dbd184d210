"""Routing rules as data: what an administrator edits, checked before it is used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from services.routing.domain import mistakes
from services.routing.domain.mistakes import (
    Incomplete,
    InRule,
    Mistake,
    NotJson,
    RulesInvalid,
    spans,
)
from services.routing.domain.owners import OWNERS
from services.routing.domain.text import fold
from services.routing.domain.units import SHIPPED, OtherUnit
from shared.contracts.vocabulary import CaseType, Channel, Priority

Scope = Literal["clause", "sentence", "text"]
_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")


def _check_phrase(part: str, where: str) -> None:
    if not fold(part.removesuffix("*")):
        raise ValueError(f"{where!r} 中有空的词 | empty phrase in {where!r}")
    if len(part) > 60:
        raise ValueError(
            f"词超过 60 个字：{part[:20]!r}… | phrase longer than 60 characters: {part[:20]!r}…"
        )


def _owners(info: ValidationInfo) -> Mapping[str, str]:
    owners: Mapping[str, str] = (info.context or {}).get("owners", OWNERS)
    return owners


def _check_department(code: str, info: ValidationInfo) -> None:
    known = (info.context or {}).get("departments")
    if known is not None and code not in known:
        raise ValueError(f"没有部门 {code!r} | unknown department {code!r}")


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
    doubtful: bool = False
    """Its words are used of all kinds of things: no emergency where the meaning says that it is
    none, almost for certain. A person looks then."""
    weight: float = Field(gt=0, le=1)
    suppresses: tuple[str, ...] = ()
    """Categories that count much less when this rule fires; ``*`` means all others."""
    _owner: str = PrivateAttr("")
    note: str = Field(min_length=1, max_length=200)
    note_en: str = Field(min_length=1, max_length=200)

    @field_validator("phrases", "all_phrases", "not_phrases", "not_before", "places")
    @classmethod
    def _say_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            for part in phrase.split("|"):
                _check_phrase(part, phrase)
        return phrases

    @field_validator("department")
    @classmethod
    def _known_department(cls, code: str | None, info: ValidationInfo) -> str | None:
        if code is not None:
            _check_department(code, info)
        return code

    @field_validator("category")
    @classmethod
    def _known_category(cls, code: str | None, info: ValidationInfo) -> str | None:
        if code is not None and code not in _owners(info):
            raise ValueError(f"没有类别 {code!r} | unknown category {code!r}")
        return code

    @field_validator("chosen", "suppresses")
    @classmethod
    def _known_categories(cls, codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if strange := [c for c in codes if c not in _owners(info) and c != "*"]:
            raise ValueError(f"没有类别 {strange[0]!r} | unknown category {strange[0]!r}")
        return codes

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        if not (self.phrases or self.places or self.channels or self.chosen):
            raise Incomplete(
                "hears-nothing",
                "规则要有 phrases、places、channels 或 chosen 之一",
                "a rule needs phrases, places, channels or a chosen category",
            )
        if (self.all_phrases or self.not_phrases or self.not_before) and not self.phrases:
            raise Incomplete(
                "guards-nothing",
                "all_phrases、not_phrases、not_before 要和 phrases 一起用",
                "guards need phrases to guard",
            )
        if self.category is None and (self.type is None or self.emergency or self.department):
            raise Incomplete(
                "without-category",
                "没有 category 的规则只能说明 type",
                "a rule without a category may only say the type",
            )
        if self.priority is Priority.P1 and not self.emergency:
            raise Incomplete(
                "calm-p1",
                "P1 只用于紧急情况：请写 emergency",
                "P1 is for emergencies: set emergency",
            )
        if self.category is not None:
            self._owner = self.department or _owners(info)[self.category]
        return self

    @property
    def owner(self) -> str:
        """The department this rule speaks for (empty for a rule that only says the type)."""
        return self._owner


class RuleBook(BaseModel):
    """All rules with the groups they refer to and the bar for acting without a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1)
    confident_at: float = Field(default=0.6, gt=0, le=1)
    margin: float = Field(default=0.2, ge=0, le=1)
    chosen_weight: float = Field(default=0.45, ge=0, le=1)
    """What the category picked by the reporter is worth: a weighty hint, not a verdict."""
    precision: float = Field(default=0.95, ge=0.5, lt=1)
    """How often what is learned has to be right about what it sends without a person."""
    owners: dict[str, str] = {}
    """Category → department, for categories that are not shipped or belong elsewhere here."""
    groups: dict[str, tuple[str, ...]] = {}
    elsewhere: tuple[OtherUnit, ...] | None = None
    """Other units of the university, for what is not the library's; None: those shipped."""
    rules: tuple[Rule, ...]

    @field_validator("owners")
    @classmethod
    def _known_owners(cls, owners: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for code in owners.values():
            _check_department(code, info)
        return owners

    def owner_of(self, category: str) -> str | None:
        """The department that owns a category; None for one that is unknown here."""
        return self.owners.get(category) or OWNERS.get(category)

    @field_validator("groups")
    @classmethod
    def _say_something(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, words in groups.items():
            for word in words:
                _check_phrase(word, f"@{name}")
        return groups

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: set[str] = set()
        for number, rule in enumerate(self.rules):
            if rule.id in seen:
                raise InRule(number, "这个 id 用了两次", "this id is used twice")
            seen.add(rule.id)
            for name in ("phrases", "all_phrases", "not_phrases", "not_before", "places"):
                for phrase in getattr(rule, name):
                    if unknown := [
                        part
                        for part in phrase.split("|")
                        if part.startswith("@") and part[1:] not in self.groups
                    ]:
                        one = unknown[0]
                        raise InRule(number, f"没有词组 {one!r}", f"there is no group {one!r}")
        return self

    @property
    def departments(self) -> set[str]:
        """Codes of those that rules and owners name."""
        return {*self.owners.values(), *(rule.department for rule in self.rules if rule.department)}

    @property
    def units(self) -> tuple[OtherUnit, ...]:
        """Who owns what is not the library's."""
        return SHIPPED if self.elsewhere is None else self.elsewhere

    def alternatives(self, phrase: str) -> tuple[str, ...]:
        """The plain phrases that ``a|@group`` stands for."""
        parts: list[str] = []
        for part in phrase.split("|"):
            parts.extend(self.groups[part[1:]] if part.startswith("@") else (part,))
        return tuple(parts)


def parse_rules(text: str, *, departments: Iterable[str] | None = None) -> RuleBook:
    """Read rules from JSON. Raises `RulesInvalid` with one readable line per mistake.

    Without `departments` any department is taken: for rules that were checked before.
    """
    try:
        return _parsed(text, departments)
    except RecursionError:
        # Wherever it shows: a text that can be read may still be too deep to look through.
        raise NotJson([Mistake("括号套得太深", "nested too deeply")]) from None


def _parsed(text: str, departments: Iterable[str] | None) -> RuleBook:
    try:
        raw = json.loads(text)
        return check_rules(raw, departments=departments)
    except RulesInvalid as invalid:
        found = spans(text)
        raise RulesInvalid(_with_line(m, text, found) for m in invalid.mistakes) from None
    except json.JSONDecodeError as error:
        mistake = Mistake(
            f"不是合法的 JSON（{error.msg}，第 {error.colno} 列）",
            f"not JSON: {error.msg} (column {error.colno})",
            line=error.lineno,
        )
        raise NotJson([mistake]) from None
    except ValueError as error:
        name = type(error).__name__
        raise NotJson([Mistake(f"无法读取（{name}）", f"not JSON: {name}")]) from None


def check_rules(raw: object, *, departments: Iterable[str] | None = None) -> RuleBook:
    """Check rules that come as plain values. Raises `RulesInvalid`."""
    if strange := list(_unspeakable(raw, ())):
        raise RulesInvalid(
            _mistake(raw, path, "请去掉特殊控制字符", "please remove control characters")
            for path in strange
        )
    known = None if departments is None else frozenset(departments)
    try:
        return RuleBook.model_validate(
            raw, context={"departments": known, "owners": _owners_in(raw)}
        )
    except ValidationError as error:
        raise RulesInvalid(_found(raw, error)) from error


def _owners_in(raw: object) -> Mapping[str, str]:
    """Shipped owners and those of the document; mistakes in them are named by field."""
    own = raw.get("owners") if isinstance(raw, dict) else None
    return OWNERS | own if isinstance(own, dict) else OWNERS


def with_version(text: str, version: int) -> str:
    """The same rules, as they were typed, under another version. The text must be valid."""
    return _with(text, "version", str(version))


def with_precision(text: str, precision: float) -> str:
    """The same rules, as they were typed, with another precision. The text must be valid."""
    return _with(text, "precision", f"{precision:g}")


def with_owners(text: str) -> str:
    """The same rules, as they were typed, with a place for owners. The text must be valid."""
    return text if ("owners",) in spans(text) else _with(text, "owners", "{}")


def with_units(text: str, units: Iterable[Mapping[str, Any]]) -> str:
    """The same rules, as they were typed, with these other units. The text must be valid."""
    written = json.dumps(list(units), ensure_ascii=False, indent=2).replace("\n", "\n  ")
    return _with(text, "elsewhere", written)


def with_rule(text: str, rule: Mapping[str, Any]) -> str:
    """The same rules, as they were typed, with `rule` in the place of the one of its id, or last.

    The text must be valid; the rule is checked with the whole.
    """
    found = spans(text)
    ids = [one["id"] for one in json.loads(text)["rules"]]
    written = json.dumps(rule, ensure_ascii=False, indent=2).replace("\n", "\n    ")
    if rule.get("id") in ids:
        start, end = found["rules", ids.index(rule["id"])][:2]
        return f"{text[:start]}{written}{text[end:]}"
    if not ids:
        start = found["rules",][0] + 1
        return f"{text[:start]}{written}{text[start:]}"
    end = found["rules", len(ids) - 1][1]
    return f"{text[:end]},\n    {written}{text[end:]}"


def _with(text: str, name: str, value: str) -> str:
    span = spans(text).get((name,))
    if span is None:
        opening = text.index("{") + 1
        return f'{text[:opening]}\n  "{name}": {value},{text[opening:]}'
    return f"{text[: span[0]]}{value}{text[span[1] :]}"


def _unspeakable(value: Any, path: mistakes.Path) -> Iterator[mistakes.Path]:
    """What no database and no page can hold: it would stop every case whose rule says it."""
    match value:
        case str():
            if _UNSPEAKABLE.search(value):
                yield path
        case dict():
            for key, one in value.items():
                yield from _unspeakable(key, path)
                yield from _unspeakable(one, (*path, key))
        case list():
            for number, one in enumerate(value):
                yield from _unspeakable(one, (*path, number))


def _found(raw: object, error: ValidationError) -> Iterator[Mistake]:
    for problem in error.errors(include_url=False):
        path: mistakes.Path = tuple(problem["loc"])
        cause = (problem.get("ctx") or {}).get("error")
        if isinstance(cause, InRule):
            path = ("rules", cause.number)
        if cause is not None:
            zh, _, en = str(cause).partition(" | ")
            mistake = _mistake(raw, path, zh, en or zh)
            kind = cause.kind if isinstance(cause, Incomplete) else None
            yield replace(mistake, kind=kind)
        else:
            yield _mistake(raw, path, mistakes.chinese(problem), problem["msg"])


def _mistake(raw: object, path: mistakes.Path, zh: str, en: str) -> Mistake:
    inside = len(path) >= 2 and path[0] == "rules" and isinstance(path[1], int)
    return Mistake(zh, en, path, _name_of(raw, int(path[1])) if inside else None)


def _with_line(mistake: Mistake, text: str, found: dict[mistakes.Path, Any]) -> Mistake:
    span = mistakes.nearest(found, mistake.path)
    return mistake if span is None else replace(mistake, line=mistakes.line_at(text, span[0]))


def _name_of(raw: object, number: int) -> str:
    try:
        return str(raw["rules"][number]["id"])  # type: ignore[index]
    except (TypeError, LookupError):
        return f"number {number + 1}"
