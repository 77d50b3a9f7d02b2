"""The API's description as JSON and as a page, generated when they are first requested."""

import json
from functools import lru_cache, partial

from flask import Flask

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
        self.json = lru_cache(MAX_PREFIXES)(self._json)
        self.page = lru_cache(MAX_PREFIXES)(self._page)

    def _json(self, prefix: str) -> Revalidated:
        """Return the description for programs, as OpenAPI 3.1.

        Args:
            prefix: the path below which the server has mounted the app; empty at the root.
        """
        return Revalidated(json.dumps(self._document(prefix)).encode(), JSON)

    def _page(self, prefix: str) -> Revalidated:
        """Return the description for people, as HTML; `prefix` as for the JSON."""
        return Revalidated(docs_page(self._document(prefix)).encode(), "text/html")
