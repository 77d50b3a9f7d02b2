"""The types of single settings: how the text of each is parsed and validated."""

import re
from importlib import import_module
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretBytes, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from authsvc.origins import exact_origin
from authsvc.tokens.keyring import Key
from authsvc.tokens.shared_secret import secret_from_hex

PREFIX = "AUTHSVC_"
HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""The pattern of a header's name (RFC 9110 section 5.1)."""
MAKE_KEY = "run `python -m authsvc keys generate` and keep the two lines that it prints"

MIN_BEARER = 32
"""Shortest token that an operator may choose: as hex, 32 characters are 128 random bits."""

_BEARER = re.compile(rf"[A-Za-z0-9._~+/-]{{{MIN_BEARER},}}=*")  # RFC 6750 section 2.1


def _secret(text: Any) -> Any:
    return text if isinstance(text, bytes) else secret_from_hex(text)


def _private_key(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    # Imported here: a service with a shared secret needs neither PyJWT nor X.509.
    from authsvc.tokens.key_pairs import key_from_pem

    try:
        # On one line of an env file, \n stands for the end of a line.
        return key_from_pem(text.replace("\\n", "\n"))
    except ValueError as error:
        raise ValueError(f"{error}: {MAKE_KEY}") from None


def _bearer(token: SecretStr) -> SecretStr:
    if _BEARER.fullmatch(token.get_secret_value()) is None:
        raise ValueError(
            f"must be {MIN_BEARER} or more letters, digits and -._~+/, as HTTP allows: "
            "run `python -c 'import secrets; print(secrets.token_urlsafe())'`"
        )
    return token


def _header_name(text: str) -> str:
    if text == "*" or re.fullmatch(HEADER_NAME, text, re.ASCII) is None:
        raise ValueError(f"has {text!r}, which is not the name of a header: list exact names")
    return text


def split(text: Any) -> Any:
    """Return the items of a list that is separated by commas; another value as it is."""
    return (
        [item.strip() for item in text.split(",") if item.strip()]
        if isinstance(text, str)
        else text
    )


_SEVERAL_HOSTS = re.compile(r"(postgres[a-z+]*://(?:.*@)?)([^/?@]*,[^/?@]*)([^?]*)\??(.*)")
"""libpq's form for several servers: postgresql://user@a:5432,b:5432/name?target_session_attrs=..."""


def _require_extra(extra: str, *packages: str) -> None:
    for name in packages:
        try:
            import_module(name)
        except ImportError as error:
            # psycopg is installed but raises where the system lacks libpq.
            state = "is not installed" if isinstance(error, ModuleNotFoundError) else "cannot start"
            raise ValueError(
                f"needs the [{extra}] extra ({name} {state}): run"
                f" pip install '.[server,{extra}]' in a checkout of authsvc"
            ) from None


def checked_database_url(text: str) -> str:
    """Return a database's URL in the form that the engine takes.

    Several servers may be given in libpq's form, `a:5432,b:5432`, or in SQLAlchemy's,
    `?host=a:5432&host=b:5432`.

    Raises:
        ValueError: it is not a URL of a database that this service supports.
    """
    if text.startswith("postgres") and text.count("@") > 1:
        raise ValueError("must have one @: in the user's name or password, write %40 for each @")
    if several := _SEVERAL_HOSTS.fullmatch(text):
        start, hosts, name, query = several.groups()
        listed = [f"host={host}" for host in hosts.split(",")]
        text = f"{start}{name}?{'&'.join([*listed, *([query] if query else [])])}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their messages may contain a part of the password
        raise ValueError("must be a database URL such as sqlite:////var/lib/authsvc.db") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must be a sqlite: or a postgresql: URL: no other database is supported")
    if url.drivername != "sqlite":
        _require_extra("postgres", "psycopg")
    if url.drivername == "sqlite" and (
        url.database in (None, "", ":memory:") or "uri" in url.query
    ):
        raise ValueError(
            "must name a file, or each worker would have its own database: "
            "write sqlite:////path/to/authsvc.db"
        )
    return url.render_as_string(hide_password=False)


def _database_url(url: SecretStr) -> SecretStr:
    return SecretStr(checked_database_url(url.get_secret_value()))


def _storage(storage: SecretStr) -> SecretStr:
    scheme, _, host = storage.get_secret_value().partition("://")
    redis = scheme in ("redis", "rediss", "redis+unix") and host
    if not redis and storage.get_secret_value() != "database":
        raise ValueError("must be `database` or a redis:// URL: nothing else can store the counts")
    if redis:
        _require_extra("redis", "limits", "redis")
    return storage


Secret = Annotated[SecretBytes, BeforeValidator(_secret)]
PrivateKey = Annotated[InstanceOf[Key], BeforeValidator(_private_key)]
Bearer = Annotated[SecretStr, AfterValidator(_bearer)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(exact_origin)], ...], BeforeValidator(split)
]
HeaderNames = Annotated[
    tuple[Annotated[str, AfterValidator(_header_name)], ...], BeforeValidator(split)
]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
RateLimitStorage = Annotated[SecretStr, AfterValidator(_storage)]
