"""A token service for browser single-page apps."""

from typing import TYPE_CHECKING, Any

from authsvc.version import __version__

if TYPE_CHECKING:
    from authsvc.app import create_app

__all__ = ["__version__", "create_app"]


def __getattr__(name: str) -> Any:
    """Import `create_app` when it is asked for: the guard in another service does not need it."""
    if name == "create_app":
        from authsvc.app import create_app

        return create_app
    if name == "schema":  # what a wsgi.py of before 0.1.0 imports
        from authsvc.database import schema

        return schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
