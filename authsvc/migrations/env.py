"""What Alembic runs: the migrations, in the transaction that `authsvc.database.schema` opened."""

from alembic import context

from authsvc.audit import model as audit
from authsvc.database import Base
from authsvc.ratelimit import database_counts
from authsvc.sessions import model as sessions
from authsvc.users import model as users

TABLES = (users.User, sessions.RefreshToken, audit.SecurityEvent, database_counts.RateLimit)
"""Named here so that they are imported: a table is known to Base when its module is."""

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
