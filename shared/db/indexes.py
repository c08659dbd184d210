"""Indexes of large tables, built while people go on writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import TextClause, text
from sqlalchemy.exc import PendingRollbackError

_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def index_concurrently(
    name: str, table: str, columns: Sequence[str | TextClause], **options: Any
) -> None:
    """``op.create_index`` outside the transaction, for a table that is large where it is in use.

    A set-up that was killed meanwhile leaves the index INVALID, or built and not yet entered as a
    revision: the next one builds it again, or leaves it. What the migration did before would be
    committed and not entered either, so it may have done nothing else before; RuntimeError.
    """
    migration = op.get_context()
    if op.get_bind().scalar(text("SELECT pg_current_xact_id_if_assigned()")) is not None:
        raise RuntimeError(f"{name}: an index is built concurrently before anything else is done")
    try:
        with migration.autocommit_block():
            _build(name, table, columns, options)
    except PendingRollbackError as hiding:
        # The connection died inside the block, whose end hides that.
        raise hiding.__context__ or hiding from None


def _build(
    name: str, table: str, columns: Sequence[str | TextClause], options: dict[str, Any]
) -> None:
    connection = op.get_bind()
    # It waits for every transaction that began before it, and is INVALID if it gives up.
    connection.execute(text("SET lock_timeout = 0"))
    valid = connection.scalar(_VALID, {"name": name})
    if valid is False:
        op.drop_index(name, postgresql_concurrently=True)
    if not valid:
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
    connection.execute(text("RESET lock_timeout"))
