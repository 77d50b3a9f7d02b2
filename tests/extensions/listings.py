"""The listings of docs/extensions.md."""

import re
from typing import Any

from flask import Flask

from tests.support.running_service import ROOT

DOC = (ROOT / "docs" / "extensions.md").read_text(encoding="utf-8")


def run_listing(
    holding: str, app: Flask, changes: dict[str, str] | None = None, **names: Any
) -> None:
    """Run the document's only listing that contains that text.

    Args:
        holding: a text of the listing.
        app: what the listing calls `app`.
        changes: texts of the listing, and what to run in their place.
        names: what else it takes as given.
    """
    listings = re.findall(r"^```python\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    [listing] = (text for text in listings if holding in text)
    for old, new in (changes or {}).items():
        assert old in listing
        listing = listing.replace(old, new)
    exec(compile(listing, "docs/extensions.md", "exec"), {"app": app, **names})
