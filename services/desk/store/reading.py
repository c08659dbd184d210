"""Everything a page or an answer about one case is made of, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain import Case
from services.desk.store.cases import case_from
from services.desk.store.readings import IS_RECORDED, look
from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    DraftRow,
    MentionRow,
    MessageRow,
    PictureRow,
    PrivateRow,
    PrivateWordsRow,
    TimelineRow,
    WordsRow,
)
from shared.db.engine import driver_of
from shared.messaging.row_buffer import RowBuffer, Values, load_together, read_values

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
    PictureRow,
)


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """All that is known of a case."""

    row: Values
    case: Case
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
    pictures: list[Any]
    on_record: bool
    """That this person was shown who it is, a moment ago."""


async def read_detail(
    connection: AsyncConnection,
    feedback_id: str,
    username: str,
    what: tuple[str, ...],
    now: datetime,
) -> CaseDetail | None:
    """The case with everything around it, as `username` looks at `what` of it; or None."""
    found, on_record = await read_values(
        driver_of(connection).fetch, _TABLES, feedback_id, IS_RECORDED, *look(username, what, now)
    )
    tables = dict(zip(_TABLES, found, strict=True))
    if not (cases := tables[CaseRow]):
        return None

    def rows(row_class: Any) -> list[Any]:
        return [SimpleNamespace(**values) for values in tables[row_class]]

    def row(row_class: Any) -> Any:
        return next(iter(rows(row_class)), None)

    return CaseDetail(
        row=cases[0],
        case=case_from(cases[0]),
        words=row(WordsRow),
        decision=row(DecisionRow),
        private=row(PrivateRow),
        private_words={one.words_id: one.text for one in rows(PrivateWordsRow)},
        messages=sorted(rows(MessageRow), key=lambda m: (m.at, m.message_id)),
        timeline=sorted(rows(TimelineRow), key=lambda t: t.seq),
        drafts=rows(DraftRow),
        mentions=rows(MentionRow),
        pictures=sorted(rows(PictureRow), key=lambda one: one.picture_id),
        on_record=on_record,
    )


async def some_cases(connection: AsyncConnection, feedback_ids: list[str]) -> list[CaseRow]:
    """The rows of these cases, without what stands around them."""
    table = RowBuffer[CaseRow](CaseRow, driver_of(connection).fetch)
    await load_together(driver_of(connection).fetch, [table], feedback_ids)
    return [row for one in feedback_ids if (row := table.get(one)) is not None]
