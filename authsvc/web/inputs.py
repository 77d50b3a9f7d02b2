"""How a view declares the body and the query string that it takes, and how they are validated."""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, cast

from flask import g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from authsvc.problems import FaultCode, InvalidRequest, UnsupportedMediaType, ValidationFailed
from authsvc.web.faults import faults_of
from authsvc.web.form_body import form_parameters, is_form
from authsvc.web.json_body import body_bytes, is_json, json_body

P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)


def _encodable(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PydanticCustomError(
            FaultCode.INVALID_CHARACTERS.value, "This contains half a character (a lone surrogate)."
        ) from None
    return text


Text = Annotated[str, AfterValidator(_encodable)]
"""A string that can be encoded as UTF-8: JSON can spell others."""


NEW_PASSWORD = "new-password"  # noqa: S105
"""The format of a new password in a schema. The OpenAPI document adds the minimum length."""


class Body(BaseModel):
    """The fields of a JSON body. Members that it does not name are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return nothing: the fields may be passwords and codes, and a repr may be logged."""
        return ()


class Query(BaseModel):
    """The parameters of a query string. Names that it does not know are ignored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def takes(
    body: type[B], *, form: type[B] | None = None
) -> Callable[[Callable[Concatenate[B, P], R]], Callable[P, R]]:
    """Pass the validated body to the view as its first argument.

    Args:
        body: a pydantic model of the JSON object: a `Body`, or one of an operator's own.
        form: the parameters of a form, if the view takes one too.

    Raises:
        UnsupportedMediaType, RequestTooLarge, InvalidRequest: the body cannot be read.
        ValidationFailed: it does not fit `body`.
    """

    def decorate(view: Callable[Concatenate[B, P], R]) -> Callable[P, R]:
        @wraps(view)
        def with_body(*args: P.args, **kwargs: P.kwargs) -> R:
            return view(_validated(body, form), *args, **kwargs)

        with_body.body = body  # type: ignore[attr-defined]
        with_body.form = form  # type: ignore[attr-defined]
        return with_body

    return decorate


def takes_query(query: type[Q]) -> Callable[[Callable[Concatenate[Q, P], R]], Callable[P, R]]:
    """Pass the validated query string to the view as its first argument.

    Raises:
        ValidationFailed: the query string does not fit `query`; a pointer names the parameter.
    """

    def decorate(view: Callable[Concatenate[Q, P], R]) -> Callable[P, R]:
        @wraps(view)
        def with_query(*args: P.args, **kwargs: P.kwargs) -> R:
            sent = request.args.to_dict()
            parameters = _fitting(sent, lambda: query.model_validate_strings(sent))
            return view(parameters, *args, **kwargs)

        with_query.query = query  # type: ignore[attr-defined]
        return with_query

    return decorate


def query_of(view: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the query string that the view declares with `@takes_query`."""
    return cast(type[BaseModel] | None, getattr(view, "query", None))


def body_of(view: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the body that the view declares with `@takes`."""
    return cast(type[BaseModel] | None, getattr(view, "body", None))


def form_of(view: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the form that the view declares with `@takes`."""
    return cast(type[BaseModel] | None, getattr(view, "form", None))


def _validated(body: type[B], form: type[B] | None) -> B:
    if form is not None and is_form():
        parameters = _once_each(form, form_parameters())
        return _fitting(parameters, lambda: form.model_validate(parameters))
    if not is_json():
        raise UnsupportedMediaType
    value = json_body()
    if not isinstance(value, dict):
        raise InvalidRequest("The body is not a JSON object.")
    return _fitting(value, lambda: _parsed(body, value))


def _once_each(form: type[BaseModel], parameters: list[tuple[str, str]]) -> dict[str, str]:
    """Return the form's own parameters, which may not be repeated (RFC 6749 section 3.2)."""
    names = {field.alias or name for name, field in form.model_fields.items()}
    known = [(name, value) for name, value in parameters if name in names]
    values = dict(known)
    if len(values) < len(known):
        raise InvalidRequest("The form has a parameter twice. Send it once.")
    return values


def _fitting(value: dict[str, Any], validate: Callable[[], B]) -> B:
    try:
        return validate()
    except ValidationError as error:
        raise ValidationFailed(faults_of(error, value)) from None


def _parsed(body: type[B], value: dict[str, Any]) -> B:
    """Return the body as its model. As JSON, a strict model takes a date or a UUID as text."""
    text = body_bytes()
    if "access_token" in value and "access_token" not in body.model_fields and "access_token" in g:
        # It is for the guard, and a model may refuse members that it does not name.
        value = {name: member for name, member in value.items() if name != "access_token"}
        text = json.dumps(value).encode()
    try:
        return body.model_validate_json(text)
    except ValidationError as error:
        if error.errors(include_input=False, include_url=False)[0]["type"] != "json_invalid":
            raise
        return body.model_validate(value)  # a lone surrogate: this says in which member
