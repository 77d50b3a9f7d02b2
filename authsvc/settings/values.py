"""What a setting's text must be: a secret or key, a token, a list of origins, a database's URL."""

import re
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretBytes, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from authsvc.origins import exact_origin
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.keyring import Key
from authsvc.tokens.shared_secret import secret_from_hex

MAKE_KEY = "run `python -m authsvc keys generate` and keep the two lines that it prints"

MIN_BEARER = 32
"""Characters of a token that an operator makes: as hex, 128 random bits."""

_BEARER = re.compile(rf"[A-Za-z0-9._~+/-]{{{MIN_BEARER},}}=*")  # RFC 6750 section 2.1


def _secret(text: Any) -> Any:
    return text if isinstance(text, bytes) else secret_from_hex(text)


def _private_key(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        # A line of an env file spells the ends of lines.
        return key_from_pem(text.replace("\\n", "\n"))
    except ValueError as error:
        raise ValueError(f"{error}: {MAKE_KEY}") from None


def _bearer(token: SecretStr) -> SecretStr:
    if _BEARER.fullmatch(token.get_secret_value()) is None:
        raise ValueError(
            f"is not {MIN_BEARER} or more letters, digits and -._~+/ : "
            "run `python -c 'import secrets; print(secrets.token_urlsafe())'`"
        )
    return token


def _split(text: Any) -> Any:
    return (
        [item.strip() for item in text.split(",") if item.strip()]
        if isinstance(text, str)
        else text
    )


def checked_database_url(text: str) -> str:
    """A database's URL in the form that the engine takes.

    Raises:
        ValueError: it is not one, or of a database that this service does not know.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # whose own words may hold a part of the password
        raise ValueError("is not a database URL such as sqlite:////var/lib/authsvc.db") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("is neither a sqlite: nor a postgresql: URL")
    if url.drivername != "sqlite" and find_spec("psycopg") is None:
        raise ValueError(
            "needs the [postgres] extra (psycopg is not installed): run"
            " pip install '.[server,postgres]' in a checkout of authsvc"
        )
    if url.drivername == "sqlite" and (
        url.database in (None, "", ":memory:") or "uri" in url.query
    ):
        raise ValueError("names no file: each worker would have a database of its own")
    return url.render_as_string(hide_password=False)


Secret = Annotated[SecretBytes, BeforeValidator(_secret)]
PrivateKey = Annotated[InstanceOf[Key], BeforeValidator(_private_key)]
Bearer = Annotated[SecretStr, AfterValidator(_bearer)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(exact_origin)], ...], BeforeValidator(_split)
]
