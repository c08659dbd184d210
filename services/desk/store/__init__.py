"""What desk remembers."""

from services.desk.store.cases import case_of, find, keep, load, put, write
from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    DepartmentRow,
    DeskTable,
    MessageRow,
    PersonRow,
    PrivateRow,
    TimelineRow,
    WordsRow,
)

__all__ = [
    "CaseRow",
    "DecisionRow",
    "DepartmentRow",
    "DeskTable",
    "MessageRow",
    "PersonRow",
    "PrivateRow",
    "TimelineRow",
    "WordsRow",
    "case_of",
    "find",
    "keep",
    "load",
    "put",
    "write",
]
