"""How a view declares its response, and how its return value is rendered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from inspect import iscoroutinefunction
from types import NoneType
from typing import Annotated, Any, ParamSpec, cast, get_type_hints

from flask import Response
from pydantic import PlainSerializer, TypeAdapter, WithJsonSchema

from authsvc import clock
from authsvc.problems import Problem

JSON = "application/json"

P = ParamSpec("P")
View = Callable[P, Response]

Instant = Annotated[
    datetime,
    PlainSerializer(clock.rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A time, as responses contain it (RFC 3339, UTC)."""


@dataclass(frozen=True)
class Accepted:
    """The request was accepted; the response says nothing else, whatever the address."""


@dataclass(frozen=True)
class Answer:
    """The response of a view when it succeeds, and the problems that it may raise.

    Args:
        status: the status of the response.
        media: the media type of its body; None if it has no body.
        body: serializes the JSON body; None if the body is not JSON.
        headers: the headers that not every response has, each with its meaning.
        may: the problems that the view may raise, except those that follow from what it is:
            whether it is public, takes a body, changes something.
        operation_id: the name by which generated clients call it; it never changes.
    """

    status: int
    media: str | None
    body: TypeAdapter[Any] | None
    headers: Mapping[str, str]
    may: Sequence[type[Problem]]
    operation_id: str


def answers(
    status: int,
    body: type | str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    may: Sequence[type[Problem]] = (),
    operation_id: str | None = None,
) -> Callable[[Callable[P, object]], View[P]]:
    """Declare a view's response. GET /openapi.json is made from it.

    The same pydantic serializer renders the view's return value as JSON, and describes its return
    annotation as JSON Schema. It validates nothing: mypy did. A view annotated with None has no
    body. A view that returns a `Response` has rendered it itself.

    Args:
        status: the status of the response.
        body: what is in the body of a `Response`: a type for JSON, otherwise the media type.
        headers, may: as in `Answer`.
        operation_id: by default the view's name.
    """

    def decorate(view: Callable[P, object]) -> View[P]:
        returned = _returned_by(view)
        kind: Any = body if returned is Response else returned
        adapter = None if kind in (None, NoneType) or isinstance(kind, str) else TypeAdapter(kind)
        media = kind if isinstance(kind, str) else JSON if adapter else None
        rendered = cast(View[P], view) if returned is Response else _rendered(view, status, adapter)
        rendered.answer = Answer(  # type: ignore[attr-defined]
            status, media, adapter, headers or {}, may, operation_id or view.__name__
        )
        return rendered

    return decorate


def _returned_by(view: Callable[..., object]) -> Any:
    """Return the type of the view's return value.

    Raises:
        TypeError: the view does not say it, or says it by a name that its module does not have; or
            it is a coroutine function, whose value no serializer knows.
    """
    if iscoroutinefunction(view):
        raise TypeError(f"@answers cannot describe {view.__qualname__}: write it without async.")
    try:
        return get_type_hints(view)["return"]
    except (KeyError, NameError) as error:
        raise TypeError(
            f"@answers needs to know what {view.__qualname__} returns, and finds no {error}: "
            "annotate it with a type that its module defines or imports, or with None."
        ) from None


def answer_of(view: Callable[..., Any]) -> Answer | None:
    """Return what the view declares with `@answers`."""
    return cast(Answer | None, getattr(view, "answer", None))


def _rendered(view: Callable[P, object], status: int, adapter: TypeAdapter[Any] | None) -> View[P]:
    if adapter is None:

        @wraps(view)
        def without_body(*args: P.args, **kwargs: P.kwargs) -> Response:
            view(*args, **kwargs)
            return Response(status=status)

        return without_body
    dump = adapter.dump_json

    @wraps(view)
    def with_body(*args: P.args, **kwargs: P.kwargs) -> Response:
        return Response(dump(view(*args, **kwargs)) + b"\n", status, mimetype=JSON)

    return with_body
