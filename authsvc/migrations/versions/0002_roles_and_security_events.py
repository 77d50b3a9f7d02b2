"""Add roles, and the security events of each account.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for existing rows, and for those that the old version adds while it runs.
    op.add_column("users", sa.Column("roles", sa.String(), server_default="", nullable=False))
    op.create_table(
        "security_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("session", sa.String()),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("ip_address", sa.String()),
        sa.Column("user_agent", sa.String()),
        sa.Column("detail", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_security_events"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_security_events_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_security_events_user_id_id", "security_events", ["user_id", "id"])


def downgrade() -> None:
    op.drop_table("security_events")
    op.drop_column("users", "roles")
