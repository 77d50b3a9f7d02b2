"""GET /openapi.json: the API for machines."""

import json
from functools import cached_property
from typing import Any

from flask import Flask, Response

from authsvc.guard.access_token import public
from authsvc.openapi.docs_page import docs_page
from authsvc.openapi.document import document
from authsvc.web.etag import REVALIDATED, Revalidated
from authsvc.web.outputs import JSON, answers
from authsvc.web.registry import component


class Description:
    """The API's description in both of its forms, each made when it is first asked for.

    Args:
        app: the app whose routes are described, those registered later included.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def json(self) -> Revalidated:
        """For machines."""
        return Revalidated(json.dumps(self._document).encode(), JSON)

    @cached_property
    def page(self) -> Revalidated:
        """For people."""
        return Revalidated(docs_page(self._document).encode(), "text/html")

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self._app)


@public
@answers(200, dict[str, Any], headers=REVALIDATED)
def openapi_json() -> Response:
    """Get this description, as OpenAPI 3.1."""
    return component(Description).json.response()
