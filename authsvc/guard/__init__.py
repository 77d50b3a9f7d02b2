"""All that stands between the wire and a view."""

from authsvc.guard.access_token import AccessTokenGuard, current_access_token, public

__all__ = ["AccessTokenGuard", "current_access_token", "public"]
