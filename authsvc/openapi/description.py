"""The API's description as JSON and as a page, each generated at its first request."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask

from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.openapi.docs_page import docs_page
from authsvc.openapi.document import document
from authsvc.settings import Settings
from authsvc.web.etag import Revalidated
from authsvc.web.outputs import JSON


@dataclass(frozen=True)
class Description:
    """The API's description.

    Args:
        app: the app whose routes are described, those registered later included.
        settings: the settings that the description depends on, such as the issuer.
        cookie: the refresh cookie.
    """

    app: Flask
    settings: Settings
    cookie: RefreshCookie

    @cached_property
    def json(self) -> Revalidated:
        """The description for programs, as OpenAPI 3.1."""
        return Revalidated(json.dumps(self._document).encode(), JSON)

    @cached_property
    def page(self) -> Revalidated:
        """The description for people, as HTML."""
        return Revalidated(docs_page(self._document).encode(), "text/html")

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self.app, self.settings, self.cookie)
