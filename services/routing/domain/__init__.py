"""Routing decides purely: text in, decision with reasons out."""

from services.routing.domain.decide import Candidate, Decision, Reason, Submission, decide
from services.routing.domain.match import RuleSet
from services.routing.domain.rules import (
    SHIPPED,
    Rule,
    RuleBook,
    RulesInvalid,
    check_rules,
    load_rules,
    parse_rules,
)
from services.routing.domain.text import fold

__all__ = [
    "SHIPPED",
    "Candidate",
    "Decision",
    "Reason",
    "Rule",
    "RuleBook",
    "RuleSet",
    "RulesInvalid",
    "Submission",
    "check_rules",
    "decide",
    "fold",
    "load_rules",
    "parse_rules",
]
