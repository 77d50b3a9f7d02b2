"""What a request must pass before its view runs."""

from authsvc.guard.access_token import AccessTokenGuard, current_access_token, public
from authsvc.guard.roles import requires_role
from authsvc.guard.step_up import requires_aal2, requires_recent_login

__all__ = [
    "AccessTokenGuard",
    "current_access_token",
    "public",
    "requires_aal2",
    "requires_recent_login",
    "requires_role",
]
