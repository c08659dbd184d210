"""Everything a page or an answer about one case is made of, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    DraftRow,
    MentionRow,
    MessageRow,
    PrivateRow,
    PrivateWordsRow,
    TimelineRow,
    WordsRow,
)
from shared.db.engine import driver_of
from shared.messaging.row_buffer import RowBuffer, load_together, values_of

_TABLES = (
    CaseRow,
    WordsRow,
    DecisionRow,
    PrivateRow,
    PrivateWordsRow,
    MessageRow,
    TimelineRow,
    DraftRow,
    MentionRow,
)


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """All that is known of a case."""

    case: CaseRow
    words: Any
    decision: Any
    private: Any
    private_words: dict[str, str]
    """Words as they were written, by `words_id`."""
    messages: list[Any]
    timeline: list[Any]
    drafts: list[Any]
    """Each for nobody but its writer."""
    mentions: list[Any]


async def read_detail(connection: AsyncConnection, feedback_id: str) -> CaseDetail | None:
    """The case with everything around it, or None."""
    fetch = driver_of(connection).fetch
    tables = {row_class: RowBuffer[Any](row_class, fetch) for row_class in _TABLES}
    await load_together(fetch, list(tables.values()), [feedback_id])
    case = tables[CaseRow].get(feedback_id)
    if case is None:
        return None

    def rows(row_class: Any) -> list[Any]:
        # A page reads dozens of fields: attributes of a table row are dear.
        found = tables[row_class].for_case(feedback_id)
        return [SimpleNamespace(**values_of(row)) for row in found]

    def row(row_class: Any) -> Any:
        return next(iter(rows(row_class)), None)

    return CaseDetail(
        case=case,
        words=row(WordsRow),
        decision=row(DecisionRow),
        private=row(PrivateRow),
        private_words={one.words_id: one.text for one in rows(PrivateWordsRow)},
        messages=sorted(rows(MessageRow), key=lambda m: (m.at, m.message_id)),
        timeline=sorted(rows(TimelineRow), key=lambda t: t.seq),
        drafts=rows(DraftRow),
        mentions=rows(MentionRow),
    )


async def some_cases(connection: AsyncConnection, feedback_ids: list[str]) -> list[CaseRow]:
    """The rows of these cases, without what stands around them."""
    table = RowBuffer[CaseRow](CaseRow, driver_of(connection).fetch)
    await load_together(driver_of(connection).fetch, [table], feedback_ids)
    return [row for one in feedback_ids if (row := table.get(one)) is not None]
