"""What HTTP calls a status."""

from http import HTTPStatus


def phrase(status: int) -> str:
    """Return what HTTP calls the status; for one that it does not define, a name by its number."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP {status}"
