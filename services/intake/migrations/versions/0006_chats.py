"""What a follower in WeChat and we speak about, and which message belongs to which case."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0006"
down_revision = "intake_0005"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("openid", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", "openid"),
    )
    op.create_index("ix_chats_feedback_id", "chats", ["feedback_id"])
    op.create_index("ix_chats_heard_at", "chats", ["heard_at"])
    op.create_table(
        "chat_messages",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("openid", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("words_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("account", "message"),
    )
    op.create_index("chat_messages_of_follower", "chat_messages", ["account", "openid", "at"])
    op.create_index("ix_chat_messages_feedback_id", "chat_messages", ["feedback_id"])
    op.create_index("ix_chat_messages_at", "chat_messages", ["at"])
