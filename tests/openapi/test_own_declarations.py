"""What an operator can get wrong when a view declares what it answers."""

import pytest

import authsvc.openapi
from authsvc.openapi import answers
from authsvc.web import inputs


def test_a_view_without_a_return_type_is_refused_with_a_sentence() -> None:
    def view():  # type: ignore[no-untyped-def]
        return {}

    with pytest.raises(TypeError, match="annotate it with a type"):
        answers(200)(view)


def test_an_async_view_is_refused_with_a_sentence() -> None:
    async def view() -> str:
        return ""

    with pytest.raises(TypeError, match="without async"):
        answers(200)(view)


def test_an_unknown_name_of_the_module_is_an_error() -> None:
    with pytest.raises(AttributeError):
        authsvc.openapi.nothing  # noqa: B018
    assert authsvc.openapi.Query is inputs.Query
