"""The rules that come with the software; what `setup` loads the first time."""

from __future__ import annotations

from pathlib import Path

from services.routing.domain import RuleBook, parse_rules

SHIPPED = Path(__file__).parent / "data" / "rules.json"


def load_rules() -> RuleBook:
    """The shipped rules, checked."""
    return parse_rules(SHIPPED.read_text(encoding="utf-8"))
