"""The case in full: parts, review, extension, waiting, how cases hang together."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_JSON = postgresql.JSONB(astext_type=sa.Text())
_MOMENT = sa.DateTime(timezone=True)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def _list(name: str) -> sa.Column[Any]:
    return sa.Column(name, _JSON, nullable=False, server_default=sa.text("'[]'::jsonb"))


def upgrade() -> None:
    for column in (
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("waiting_until", _MOMENT, nullable=True),
        sa.Column("untouched_since", _MOMENT, nullable=True),
        _flag("public_since_dispatch"),
        _flag("needs_review"),
        sa.Column("extension", _JSON, nullable=True),
        sa.Column("review", _JSON, nullable=True),
        _list("parts"),
        sa.Column("ended_at", _MOMENT, nullable=True),
        _flag("reopening_refused"),
        _flag("appeal_dismissed"),
        sa.Column("merged_into", sa.String(), nullable=True),
        _list("merged"),
        sa.Column("parent", sa.String(), nullable=True),
        _list("children"),
        _list("links"),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("supervised_at", _MOMENT, nullable=True),
        _list("escalated"),
        sa.Column("alarm", _JSON, nullable=True),
    ):
        op.add_column("cases", column)
    op.create_index(
        "cases_look_again",
        "cases",
        ["waiting_until"],
        postgresql_where=sa.text("waiting_until IS NOT NULL"),
    )
    op.create_index(
        "cases_untouched",
        "cases",
        ["untouched_since"],
        postgresql_where=sa.text("untouched_since IS NOT NULL"),
    )
    op.create_index(
        "cases_parts",
        "cases",
        ["parts"],
        postgresql_using="gin",
        postgresql_ops={"parts": "jsonb_path_ops"},
        postgresql_where=sa.text("parts <> '[]'::jsonb"),
    )
    op.create_index(
        "cases_of_incident",
        "cases",
        ["incident_id", "feedback_id"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.add_column("departments", _flag("needs_review"))
    op.add_column("categories", _flag("needs_review"))
    op.add_column("people", _list("roles"))
    op.add_column("people", sa.Column("away_until", _MOMENT, nullable=True))
    op.add_column("people", sa.Column("substitute", sa.String(), nullable=True))
