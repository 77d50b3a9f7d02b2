"""Read the time. Everything that needs the time calls this module."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def now_in_seconds() -> datetime:
    """Return the current time without its fraction of a second, as a JWT has it."""
    return now().replace(microsecond=0)


def rfc3339(instant: datetime) -> str:
    """Return a time as responses have it, such as ``2026-11-24T10:57:00Z`` (RFC 3339, UTC)."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
