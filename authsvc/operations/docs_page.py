"""The page."""

from typing import Any


def docs_page(document: dict[str, Any]) -> str:
    return ""
