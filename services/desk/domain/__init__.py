"""What may happen to a case, who may do it and who may see it; pure."""

from services.desk.domain.case import Case, Change, Said, advance, possible
from services.desk.domain.table import (
    OFFERED,
    TABLE,
    Action,
    IllegalTransition,
    Step,
    diagram,
    permitted,
)
from services.desk.domain.visibility import Scope, Viewer, scope_of, sees, sees_contact, sees_words

__all__ = [
    "OFFERED",
    "TABLE",
    "Action",
    "Case",
    "Change",
    "IllegalTransition",
    "Said",
    "Scope",
    "Step",
    "Viewer",
    "advance",
    "diagram",
    "permitted",
    "possible",
    "scope_of",
    "sees",
    "sees_contact",
    "sees_words",
]
