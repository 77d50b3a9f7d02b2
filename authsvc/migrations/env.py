"""Run the migrations, as Alembic asks, in the transaction that `authsvc.database.schema` opened."""

from alembic import context

from authsvc.audit import model as audit
from authsvc.database import Base
from authsvc.database.version_table import VERSION_TABLE
from authsvc.mail import model as mail
from authsvc.ratelimit import database_counts
from authsvc.sessions import model as sessions
from authsvc.users import model as users
from authsvc.users import one_time_tokens

TABLES = (
    users.User,
    sessions.RefreshToken,
    audit.SecurityEvent,
    database_counts.RateLimit,
    mail.WaitingMail,
    one_time_tokens.OneTimeToken,
)
"""Every table. Base knows a table once the module that defines it is imported."""

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
