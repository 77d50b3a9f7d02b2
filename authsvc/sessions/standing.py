"""Whether a session still stands, asked in the database itself."""

from uuid import UUID

from sqlalchemy import select

from authsvc.database import reading
from authsvc.sessions.model import RefreshToken
from authsvc.users.model import User


def is_in_force(sid: UUID, user_id: UUID) -> bool:
    """Whether there is this session of this user, not revoked, and the user is not disabled."""
    with reading() as connection:
        found = connection.execute(
            select(RefreshToken.id)
            .join(User)
            .where(
                RefreshToken.id == sid,
                RefreshToken.user_id == user_id,
                RefreshToken.revoked_at.is_(None),
                User.disabled_at.is_(None),
            )
        )
        return found.one_or_none() is not None
