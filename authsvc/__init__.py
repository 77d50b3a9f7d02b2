"""A token service for browser single-page apps."""

from typing import TYPE_CHECKING, Any

from authsvc.version import __version__

if TYPE_CHECKING:
    from authsvc.app import create_app

__all__ = ["__version__", "create_app"]


def __getattr__(name: str) -> Any:
    """`create_app`, imported when it is asked for: a guard elsewhere needs none of the service."""
    if name == "create_app":
        from authsvc.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
