"""Add the key of the device that a session is bound to.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refresh_tokens", sa.Column("device_key", sa.String()))


def downgrade() -> None:
    op.drop_column("refresh_tokens", "device_key")
