"""The API's description as JSON and as a page, generated when they are first requested."""

import json
from functools import lru_cache, partial

from flask import Flask, request

from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.openapi.docs_page import docs_page
from authsvc.openapi.document import document
from authsvc.settings import Settings
from authsvc.web.etag import Revalidated
from authsvc.web.outputs import JSON

MAX_PREFIXES = 4
"""Paths below which one app is mounted; usually there is one."""


class Description:
    """The API's description.

    Args:
        app: the app whose routes are described, those registered later included.
        settings: the settings that the description depends on, such as the issuer.
        cookie: the refresh cookie.
    """

    def __init__(self, app: Flask, settings: Settings, cookie: RefreshCookie) -> None:
        self._document = partial(document, app, settings, cookie)
        self._json_below = lru_cache(MAX_PREFIXES)(self._make_json)
        self._page_below = lru_cache(MAX_PREFIXES)(self._make_page)

    @property
    def json(self) -> Revalidated:
        """The description for programs, as OpenAPI 3.1."""
        return self._json_below(request.script_root)

    @property
    def page(self) -> Revalidated:
        """The description for people, as HTML."""
        return self._page_below(request.script_root)

    def _make_json(self, prefix: str) -> Revalidated:
        return Revalidated(json.dumps(self._document(prefix)).encode(), JSON)

    def _make_page(self, prefix: str) -> Revalidated:
        return Revalidated(docs_page(self._document(prefix)).encode(), "text/html")
