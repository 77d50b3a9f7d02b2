"""GET /openapi.json: the API's description for programs."""

from typing import Any

from flask import Response

from authsvc.guard.access_token import public
from authsvc.openapi.description import Description
from authsvc.web import registry
from authsvc.web.etag import REVALIDATED
from authsvc.web.outputs import answers


@public
@answers(200, dict[str, Any], headers=REVALIDATED)
def openapi_json() -> Response:
    """Get this description as OpenAPI 3.1.

    It describes the service as it is configured, with the operator's own routes that declare what
    they take and answer.
    """
    return registry.get(Description).json.response()
