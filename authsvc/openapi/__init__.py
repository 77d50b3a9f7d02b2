"""The API's description, and the decorators by which a view joins it.

An operator's view joins it with `from authsvc.openapi import answers, takes`
(docs/your-routes.md). A view without `@answers` stays out.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from authsvc.extras import server_extra_missing

if TYPE_CHECKING:
    from authsvc.web.inputs import Body, Query, takes, takes_query
    from authsvc.web.outputs import Instant, answers

__all__ = ["Body", "Instant", "Query", "answers", "takes", "takes_query"]


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: it needs pydantic, which the guard does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "outputs" if name in ("Instant", "answers") else "inputs"
    try:
        return getattr(import_module(f"authsvc.web.{room}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(server_extra_missing(f"{__name__}.{name}", error)) from None
