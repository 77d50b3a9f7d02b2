"""A letter of each kind with example values, to try templates with."""

from datetime import timedelta
from typing import get_args

from authsvc.mail.letter import Letter, Link, Template

TEMPLATES: tuple[Template, ...] = get_args(Template)

_TOKEN = "x" * 43
_LINKS: dict[Template, Link] = {
    "reset": Link("reset", _TOKEN, timedelta(minutes=30)),
    "invitation": Link("reset", _TOKEN, timedelta(days=7)),
    "verification": Link("verification", _TOKEN, timedelta(hours=24)),
    "change": Link("change", _TOKEN, timedelta(hours=1)),
}
_BROWSER = {"browser": "Firefox", "system": "Linux", "ip_address": "192.0.2.7"}
_FACTS: dict[Template, dict[str, str]] = {
    "factor_added": {"factor": "totp"},
    "factor_removed": {"factor": "all"},
    "new_login": _BROWSER,
    "suspicious_use": {**_BROWSER, "sign": "key"},
}


def example(template: Template, locale: str | None = None) -> Letter:
    """Return a letter to alice@example.com.

    Args:
        template: which message.
        locale: the language of its reader.
    """
    facts = _FACTS.get(template, {})
    return Letter(template, "alice@example.com", locale, _LINKS.get(template), facts)
