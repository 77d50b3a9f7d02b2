"""A token service for browser single-page apps."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def server_extra_missing(needed_by: str, error: ModuleNotFoundError) -> str:
    """Return the sentence that says how to install what the service needs beyond the guard.

    Args:
        needed_by: what cannot run without it.
        error: what importing it raised; raised again if the missing module is ours, since then
            no extra would help.
    """
    if error.name is None or error.name.partition(".")[0] == __name__:
        raise error
    return (
        f"{needed_by} needs the [server] extra ({error.name} is not installed): run"
        " pip install '.[server]' in a checkout of authsvc, or install the wheel with [server]"
        " after its file name."
    )
