"""The way that a view declares what it answers, and how what it returns becomes the response."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
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
"""A time, as every answer tells it."""


@dataclass(frozen=True)
class Answer:
    """What a view answers when all is well, and the problems of its own.

    Args:
        status: of the response.
        media: the type of its body; None where it has none.
        body: what the JSON in the body is; None where it is no JSON.
        headers: the headers that not every response bears, and what each means.
        may: the problems that the view may raise, but for those that follow from what it is:
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
    """Declare what a view answers; GET /openapi.json tells it from here.

    What the view is annotated to return is rendered as JSON, and described as JSON Schema, by
    one and the same pydantic serializer. It checks nothing: mypy has done so. None is a response
    without a body. A view that returns a `Response` has made it itself.

    Args:
        status: of the response.
        body: what is in the body of a `Response`: a type for JSON, or else the media type.
        headers, may: as in `Answer`.
        operation_id: by default the view's name.
    """

    def decorate(view: Callable[P, object]) -> View[P]:
        returned = get_type_hints(view)["return"]
        told: Any = body if returned is Response else returned
        adapter = None if told in (None, NoneType) or isinstance(told, str) else TypeAdapter(told)
        media = told if isinstance(told, str) else JSON if adapter else None
        rendered = cast(View[P], view) if returned is Response else _rendered(view, status, adapter)
        rendered.answer = Answer(  # type: ignore[attr-defined]
            status, media, adapter, headers or {}, may, operation_id or view.__name__
        )
        return rendered

    return decorate


def answer_of(view: Callable[..., Any]) -> Answer | None:
    """What the view was declared to answer."""
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
