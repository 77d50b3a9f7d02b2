"""The listings of docs/other-services.md and docs/proxies.md, as a reader would copy them."""

import re
from collections.abc import Mapping

from tests.support.nginx_server import changed
from tests.support.running_service import ROOT

ISSUER = "https://auth.example.com"
"""The service, in each listing."""
APP = "https://app.example.com"
"""The page of another origin that may call the API, in each listing."""


def listing(
    heading: str, language: str, changes: Mapping[str, str] | None = None, holding: str = ""
) -> str:
    """Return the only listing in that language under that heading that holds a text.

    Args:
        heading: the text of a heading of level 2 or 3, in one of the two pages.
        language: the language of the listing.
        changes: replacements; each key must be in the listing.
        holding: a text of this listing alone.
    """
    pages = [
        (ROOT / "docs" / name).read_text("utf-8") for name in ("other-services.md", "proxies.md")
    ]
    section = rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)"
    (text,) = [found for page in pages for found in re.findall(section, page, re.M | re.S)]
    blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.M | re.S)
    (code,) = [block for block in blocks if holding in block]
    return changed(code, changes or {})
