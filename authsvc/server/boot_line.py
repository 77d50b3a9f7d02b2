"""The line that is logged when the service has started."""

import logging
from typing import Any

from authsvc.settings import PREFIX, Settings
from authsvc.version import __version__

_log = logging.getLogger(__name__)

_SHOWN = (bool, int, str)
"""Types of settings whose value is logged. The others, such as secrets, keys and URLs with a
password, are logged as `set`."""


def log_boot(settings: Settings, server: str, workers: int, threads: int) -> None:
    """Log the version, the settings that are not at their default, and what serves them.

    Args:
        settings: the service's settings.
        server: the name of the WSGI server.
        workers: the number of worker processes.
        threads: the number of threads of each worker.
    """
    database = settings.database_url.get_secret_value().partition(":")[0].partition("+")[0]
    _log.info(
        "authsvc %s: database %s, %s with %d workers of %d threads, settings: %s",
        __version__,
        database,
        server,
        workers,
        threads,
        ", ".join(changed_settings(settings)) or "defaults",
    )


def changed_settings(settings: Settings) -> list[str]:
    """Return `NAME=value` for each setting that is not at its default, without secrets.

    The secrets that each service needs, and the database, have no default and are left out.
    """
    values = {
        name: getattr(settings, name)
        for name, field in Settings.model_fields.items()
        if not field.is_required() and getattr(settings, name) != field.default
    }
    return [f"{PREFIX}{name.upper()}={_shown(value)}" for name, value in values.items()]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_shown, value))
    if not isinstance(value, _SHOWN):
        return "set"
    return str(value).lower() if isinstance(value, bool) else str(value)
