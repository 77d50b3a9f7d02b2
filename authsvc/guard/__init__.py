"""All that stands between the wire and a view."""

from authsvc.guard.access_token import AccessTokenGuard, current_access_token, public
from authsvc.guard.roles import requires_role

__all__ = ["AccessTokenGuard", "current_access_token", "public", "requires_role"]
