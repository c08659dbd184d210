"""What means the same as a question: one query for what is near it and what names its things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    REAL,
    ColumnElement,
    Integer,
    String,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from services.desk.domain import Scope
from services.desk.store.meanings import BEFORE_VERSION
from services.desk.store.scopes import in_scopes
from services.desk.store.tables import CaseRow, MeaningRow
from shared.db import table_of
from shared.db.nearest import literal

_cases = table_of(CaseRow)
_meanings = table_of(MeaningRow)
CLOSEST = 500
"""A thing that many cases name is looked up for these; the rows of cases are read for no more."""


def meant(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    stamp: str,
    dimensions: int,
    *,
    indexed: bool,
) -> list[Any]:
    """Two statements, of ids, titles and (with `likeness`) how near they are: the cases nearest to
    a question (``near``) and those that name a thing of it (``named``) among the `CLOSEST` of all
    that do, of which it says how many there are (``of``); and those that name it among all, for
    whom these are not enough. Where nothing is indexed, by age: among the latest, and among all,
    by the table of things alone.

    What may be seen is a condition of the look at the index, so that no page is left half empty.
    """
    # Word for word as in the condition and the expression of the index.
    of_model: ColumnElement[bool] = literal_column(f"meanings.model = '{literal(stamp)}'")
    seen = (in_scopes(scopes), *conditions, of_model)
    columns = (_cases.c.feedback_id, _cases.c.title)
    names = _meanings.c.things.op("&&")(cast(bindparam("things"), ARRAY(String)))
    query = select(*columns).join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
    most = bindparam("most", type_=Integer)
    if not indexed:
        table = stamp[stamp.rindex(BEFORE_VERSION) :]
        of_model = literal_column(f"right(meanings.model, {len(table)}) = '{literal(table)}'")
        newest = (_cases.c.received_at.desc(), _cases.c.feedback_id)
        latest = (
            select(_meanings.c.feedback_id)
            .where(of_model, names)
            .order_by(_meanings.c.feedback_id.desc())
            .limit(CLOSEST)
            .subquery("latest")
        )
        lately = (
            select(*columns)
            .join(latest, latest.c.feedback_id == _cases.c.feedback_id)
            .where(in_scopes(scopes), *conditions)
        )
        ever = query.where(*seen, names)
        return [look.order_by(*newest).limit(most) for look in (lately, ever)]
    given = cast(bindparam("vector", type_=ARRAY(REAL)), ARRAY(REAL))
    # Made a vector once, and not for each row.
    asked: ColumnElement[Any] = select(cast(given, _Vector(dimensions))).scalar_subquery()
    apart = literal_column(f"meanings.vector::halfvec({dimensions})").op("<=>")(asked)
    # Plus nothing, so that the index of vectors is not gone through for what few of them name.
    by_hand = apart.op("+")(literal_column("0"))
    # The order of these is the order asked for: no more rows of cases are read than are shown.
    closest = (
        select(_meanings.c.feedback_id, by_hand.label("apart"))
        .where(of_model, names)
        .order_by(by_hand)
        .limit(CLOSEST)
        .cte("closest")
        .prefix_with("MATERIALIZED")
    )

    def those(kind: str, likeness: Any) -> Any:
        return select(literal_column(f"'{kind}'").label("kind"), *columns, likeness)

    near = (
        those("near", (1 - apart).label("likeness"))
        .join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
        .where(*seen)
        .order_by(apart)
        .limit(most)
    )
    among = (
        those("named", (1 - closest.c.apart).label("likeness"))
        .join(closest, closest.c.feedback_id == _cases.c.feedback_id)
        .where(in_scopes(scopes), *conditions)
        .order_by(closest.c.apart)
        .limit(most)
    )
    nothing: tuple[Any, Any] = (literal_column("NULL"), literal_column("NULL"))
    number = select(literal_column("'of'"), *nothing, func.count()).select_from(closest)
    all_of_them = (
        query.add_columns((1 - apart).label("likeness"))
        .where(*seen, names)
        .order_by(by_hand)
        .limit(most)
    )
    return [union_all(near, among, number), all_of_them]


class _Vector(UserDefinedType[Any]):
    """The type of the extension, for a cast."""

    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """As it stands in SQL."""
        return f"halfvec({self.dimensions})"
