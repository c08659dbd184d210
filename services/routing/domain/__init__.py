"""Routing decides purely: text in, decision with reasons out."""

from services.routing.domain.alarms import (
    Alarm,
    AlarmModel,
    Judged,
    alarm_by_meaning,
    alarm_by_rule,
    doubtful_rules,
    in_doubt,
    left_to_a_person,
    open_to_whoever_helps,
)
from services.routing.domain.decide import Candidate, Decision, Reason, Submission, decide
from services.routing.domain.elsewhere import name_unit
from services.routing.domain.kinds import Kinds, suggest_kind
from services.routing.domain.lessons import Lesson
from services.routing.domain.match import RuleSet
from services.routing.domain.mistakes import Mistake, NotJson, RulesInvalid
from services.routing.domain.model import Model
from services.routing.domain.reconsider import (
    offer_by_model,
    offer_others,
    only_existing,
    only_open,
)
from services.routing.domain.rules import (
    Rule,
    RuleBook,
    check_rules,
    parse_rules,
    with_owners,
    with_precision,
    with_rule,
    with_units,
    with_version,
)
from services.routing.domain.text import fold
from services.routing.domain.units import OtherUnit
from services.routing.domain.weigh_up import Precedent, weigh_up, without_model

__all__ = [
    "Alarm",
    "AlarmModel",
    "Candidate",
    "Decision",
    "Judged",
    "Kinds",
    "Lesson",
    "Mistake",
    "Model",
    "NotJson",
    "OtherUnit",
    "Precedent",
    "Reason",
    "Rule",
    "RuleBook",
    "RuleSet",
    "RulesInvalid",
    "Submission",
    "alarm_by_meaning",
    "alarm_by_rule",
    "check_rules",
    "decide",
    "doubtful_rules",
    "fold",
    "in_doubt",
    "left_to_a_person",
    "name_unit",
    "offer_by_model",
    "offer_others",
    "only_existing",
    "only_open",
    "open_to_whoever_helps",
    "parse_rules",
    "suggest_kind",
    "weigh_up",
    "with_owners",
    "with_precision",
    "with_rule",
    "with_units",
    "with_version",
    "without_model",
]
