"""Access tokens for tests of an app that the guard protects: no service, no database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from authsvc import clock
from authsvc.roles import is_role
from authsvc.tokens.access import MAX_LIFE, AccessTokens, access_keyring
from authsvc.tokens.amr import METHODS, PASSWORD, among
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.keyring import Key, hmac_key
from authsvc.tokens.shared_secret import secret_from_hex

DEFAULT_LIFE = 600
USER_ID = UUID("01900000-0000-7000-8000-000000000001")
SESSION_ID = UUID("01900000-0000-7000-8000-000000000002")


def access_token(
    *,
    issuer: str,
    audience: str | None = None,
    secret: str | None = None,
    private_key: str | None = None,
    sub: UUID = USER_ID,
    sid: UUID = SESSION_ID,
    roles: Sequence[str] = (),
    amr: Sequence[str] = PASSWORD,
    auth_time: datetime | None = None,
    issued_at: datetime | None = None,
    life: int = DEFAULT_LIFE,
) -> str:
    """Return an access token as the service would issue it.

    Args:
        issuer, audience: what the guard was given.
        secret: the secret that the guard was given, as hex; or
        private_key: the private key of the public key that the guard was given, as PEM.
        sub: the id of the user, by default `USER_ID`.
        sid: the id of the session, by default `SESSION_ID`.
        roles: the roles of the user.
        amr: how the user authenticated; with `mfa`, the token's `acr` is `aal2`.
        auth_time: when the user authenticated, by default the time of issue.
        issued_at: the time of issue, by default now: an hour ago gives an expired token.
        life: the seconds until it expires.

    Raises:
        ValueError: not exactly one of `secret` and `private_key` was given, or a value is not
            valid.
    """
    key, now = _key(secret, private_key), issued_at or clock.now()
    then, ends = auth_time or now, now + timedelta(days=1)
    _refuse_wrong(roles, amr, then, now, life)
    tokens = AccessTokens(access_keyring(key), issuer, audience or issuer, life)
    times: dict[str, Any] = {"now": now, "auth_time": then, "session_ends": ends}
    issued = tokens.issue(sub=sub, sid=sid, roles=tuple(roles), amr=among(amr), **times)
    return issued.access_token


def _refuse_wrong(
    roles: Sequence[str], amr: Sequence[str], auth_time: datetime, issued_at: datetime, life: int
) -> None:
    if not 1 <= life <= MAX_LIFE:
        raise ValueError(f"life must be 1 to {MAX_LIFE} seconds; use issued_at to let it expire.")
    if wrong := [role for role in roles if not is_role(role)]:
        raise ValueError(f"These are not names of roles: {wrong}.")
    if isinstance(amr, str) or set(amr) != set(among(amr)):
        raise ValueError(f"amr must be a list of {', '.join(METHODS)}, and not {amr!r}.")
    if issued_at.tzinfo is None or auth_time.tzinfo is None:
        raise ValueError("issued_at and auth_time must have a time zone.")
    if auth_time > issued_at:
        raise ValueError("auth_time must not be after issued_at.")


def _key(secret: str | None, private_key: str | None) -> Key:
    if (secret is None) == (private_key is None):
        raise ValueError("access_token takes exactly one of secret and private_key.")
    if secret is not None:
        try:
            return hmac_key(secret_from_hex(secret))
        except ValueError as error:
            raise ValueError(f"The secret {error}.") from None
    try:
        return key_from_pem(private_key or "")
    except ValueError as error:
        raise ValueError(f"The private key {error}.") from None
