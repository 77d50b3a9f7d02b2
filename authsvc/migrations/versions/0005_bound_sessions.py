"""Add the key that a session is bound to.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refresh_tokens", sa.Column("key_thumbprint", sa.String()))


def downgrade() -> None:
    op.drop_column("refresh_tokens", "key_thumbprint")
