"""A token service for browser single-page apps."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from authsvc.extras import server_extra_missing
from authsvc.version import __version__

if TYPE_CHECKING:
    from authsvc.app import create_app
    from authsvc.database import db

__all__ = ["__version__", "create_app", "db"]

_HOMES = {"create_app": "authsvc.app", "db": "authsvc.database"}


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: the guard in another service does not need them."""
    if name in _HOMES:
        try:
            return getattr(import_module(_HOMES[name]), name)
        except ModuleNotFoundError as error:
            raise ImportError(server_extra_missing(name, error)) from None
    if name == "schema":  # what a wsgi.py of before 0.1.0 imports
        from authsvc.database import boot_checks

        return boot_checks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
