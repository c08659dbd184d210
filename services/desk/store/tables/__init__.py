"""The tables of desk. A case is one narrow row that changes often; words stand elsewhere."""

from services.desk.store.tables.base import DIGITS, ONCE, DeskTable
from services.desk.store.tables.case import CaseRow, DecisionRow, TimelineRow
from services.desk.store.tables.directory import (
    CannedReplyRow,
    CategoryRow,
    DepartmentRow,
    PersonRow,
    ReviewRuleRow,
)
from services.desk.store.tables.words import (
    INTERNAL,
    MeaningRow,
    MessageRow,
    PictureRow,
    PrivateRow,
    PrivateWordsRow,
    WordsRow,
)
from services.desk.store.tables.work import (
    DraftRow,
    FilterRow,
    IncidentRow,
    JobItemRow,
    JobRow,
    MentionRow,
    ReadingRow,
    ViewerRow,
)

__all__ = [
    "DIGITS",
    "INTERNAL",
    "ONCE",
    "CannedReplyRow",
    "CaseRow",
    "CategoryRow",
    "DecisionRow",
    "DepartmentRow",
    "DeskTable",
    "DraftRow",
    "FilterRow",
    "IncidentRow",
    "JobItemRow",
    "JobRow",
    "MeaningRow",
    "MentionRow",
    "MessageRow",
    "PersonRow",
    "PictureRow",
    "PrivateRow",
    "PrivateWordsRow",
    "ReadingRow",
    "ReviewRuleRow",
    "TimelineRow",
    "ViewerRow",
    "WordsRow",
]
