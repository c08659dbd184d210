"""What PostgreSQL itself says of a schema, and what older code would miss in a newer one."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg


class Thing(NamedTuple):
    """A table, column, constraint, index, trigger, type or function."""

    form: str
    """What readers rely on: of a column its type."""
    rest: str
    """Everything else that is said of it."""
    binding: bool
    """A write may be refused because of it, or says it by name (``ON CONFLICT``)."""


Catalogue = dict[tuple[str, str, str], Thing]
"""(kind, table, name) → thing."""

# Tables that the runners keep themselves are in no metadata.
_OURS = """
ours AS (
  SELECT c.* FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname NOT IN ('alembic_version', 'schema_revisions')
)
"""
_THINGS = f"""
WITH {_OURS}
SELECT 'table' AS kind, c.relname AS "table", '' AS name,
  concat_ws(' ', c.relkind, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
    AS form,
  concat_ws(' ', c.relpersistence, array(SELECT unnest(c.reloptions) ORDER BY 1)::text,
    (SELECT array(SELECT unnest(t.reloptions) ORDER BY 1)::text FROM pg_class t
     WHERE t.oid = c.reltoastrelid), c.relrowsecurity, c.relreplident,
    obj_description(c.oid)) AS rest,
  false AS binding
FROM ours c
UNION ALL
SELECT 'column', c.relname, a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), o.collname, a.attidentity, a.attgenerated,
    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END),
  concat_ws(' ', a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attstorage, a.attcompression,
    a.attstattarget, a.attoptions::text, col_description(c.oid, a.attnum)),
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
FROM ours c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation o ON o.oid = a.attcollation
UNION ALL
SELECT 'constraint', c.relname, o.conname,
  concat_ws(' ', pg_get_constraintdef(o.oid), o.convalidated, o.conenforced), '', true
FROM ours c JOIN pg_constraint o ON o.conrelid = c.oid AND o.contype <> 'n'
UNION ALL
SELECT 'index', c.relname, x.relname, pg_get_indexdef(x.oid),
  concat_ws(' ', i.indisvalid, i.indisclustered, i.indisreplident), i.indisunique
FROM ours c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
UNION ALL
SELECT 'trigger', c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, true
FROM ours c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'statistics', c.relname, s.stxname, pg_get_statisticsobjdef(s.oid), '', false
FROM ours c JOIN pg_statistic_ext s ON s.stxrelid = c.oid
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text, pg_get_functiondef(p.oid), '', true
FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind <> 'a'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'type', '', t.typname, array(
    SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)::text, '', true
FROM pg_type t WHERE t.typnamespace = current_schema()::regnamespace AND t.typtype IN ('d', 'e')
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = t.oid AND e.deptype = 'e')
"""


async def catalogue(connection: asyncpg.Connection) -> Catalogue:
    """Everything in the connection's current schema but what belongs to an extension."""
    return {
        (row["kind"], row["table"], row["name"]): Thing(row["form"], row["rest"], row["binding"])
        for row in await connection.fetch(_THINGS)
    }


def differences(one: Catalogue, other: Catalogue) -> list[str]:
    """One line for each thing that is not the same in both."""
    return [
        f"{' '.join(key)}: {one.get(key)} | {other.get(key)}"
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


def broken(before: Catalogue, after: Catalogue, contracts: Collection[str] = ()) -> list[str]:
    """What code that works on `before` would miss in `after`.

    Dropped, renamed or retyped things, columns that it does not fill and that must be filled, and
    new constraints on what it writes; but nothing that is named in `contracts`, as ``table``,
    ``table.column`` or ``table.index``.
    """
    found: list[str] = []
    for (kind, table, name), old in before.items():
        if {table, f"{table}.{name}"} & set(contracts):
            continue
        new = after.get((kind, table, name))
        called = f"{kind} {table} {name}".rstrip()
        if new is None:
            if old.binding or kind in ("table", "column"):
                found.append(f"{called} is gone")
        elif new.form != old.form and (kind in ("table", "column") or old.binding or new.binding):
            found.append(f"{called} was {old.form}, is {new.form}")
        elif new.binding and not old.binding:
            found.append(f"{called} is now binding: {new.form} {new.rest}")
    tables = {table for kind, table, _ in before if kind == "table"}
    found += [
        f"{kind} {table} {name} is new and binding: {new.form} {new.rest}"
        for (kind, table, name), new in after.items()
        if (kind, table, name) not in before
        and new.binding
        and table in tables
        and f"{table}.{name}" not in contracts
    ]
    return found
