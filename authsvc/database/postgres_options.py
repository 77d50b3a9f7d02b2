"""The server options that each Postgres connection starts with."""

from sqlalchemy.engine import make_url

FORMATS = "-c client_encoding=UTF8 -c datestyle=ISO"
"""How the server sends text and times; the driver reads no times in another style."""


def server_options(url: str, required: str) -> str:
    """Return the ``options`` of the URL, then those that the service requires.

    The last of two values holds: a URL may set ``search_path``, but not make commits less safe.

    Args:
        url: ``postgresql+psycopg://``, with or without ``?options=-csearch_path%3Dauth``.
        required: further options, as ``-c name=value``.
    """
    given = make_url(url).query.get("options", ())
    return " ".join([*((given,) if isinstance(given, str) else given), FORMATS, required])
