"""Choose gunicorn's worker: ours where this gunicorn has the private names that it needs."""

from typing import Any

from gunicorn.http.wsgi import Response
from gunicorn.workers import gthread

OURS = "authsvc.server.worker.Worker"
PLAIN = "gthread"

_NEEDED: dict[str, tuple[str, ...]] = {
    "ThreadWorker": ("accept", "set_accept_enabled", "handle", "finish_request", "murder_pending"),
    "TConn": ("wait_for_data", "close"),
}


def worker_class() -> str:
    """Return the name of our worker, or of gunicorn's own if ours cannot run on this version."""
    return PLAIN if missing_names() else OURS


def missing_names() -> list[str]:
    """Return the private names of gunicorn that our worker uses and this version does not have."""
    missing = [] if hasattr(gthread, "_DEFER") else ["gthread._DEFER"]
    for name, methods in _NEEDED.items():
        owner: Any = getattr(gthread, name, None)
        missing += [f"gthread.{name}.{method}" for method in methods if not hasattr(owner, method)]
    return missing + [
        f"Response.{name}"
        for name in ("start_response", "force_close")
        if not hasattr(Response, name)
    ]
