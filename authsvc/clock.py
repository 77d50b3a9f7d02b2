"""The one reader of time: whoever needs the time asks here, so that a test moves one clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def now_in_seconds() -> datetime:
    """The present instant cut down to the whole second, as the times in a JWT are."""
    return now().replace(microsecond=0)


def rfc3339(instant: datetime) -> str:
    """``2026-11-24T10:57:00Z``: the text of an instant in every answer (RFC 3339, UTC)."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
