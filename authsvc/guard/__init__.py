"""What a request must pass before its view runs."""

from authsvc.guard.access_token import AccessTokenGuard, current_access_token, public
from authsvc.guard.roles import requires_role

__all__ = ["AccessTokenGuard", "current_access_token", "public", "requires_role"]
