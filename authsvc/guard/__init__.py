"""What a request must pass before its view runs."""

from authsvc.guard.access_token import AccessTokenGuard, current_access_token, public
from authsvc.guard.recent_login import requires_recent_login
from authsvc.guard.roles import requires_role

__all__ = [
    "AccessTokenGuard",
    "current_access_token",
    "public",
    "requires_recent_login",
    "requires_role",
]
