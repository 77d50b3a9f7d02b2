"""When a token is valid: its times, compared with the current one."""

from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid

LEEWAY = 10
"""Seconds by which the clocks of two machines may differ."""


def refuse_early(claims: Claims, now: float) -> None:
    """Refuse a token that was issued in the future, with `LEEWAY` for clocks that differ.

    Raises:
        TokenInvalid: it was issued later than that.
    """
    if claims.iat > now + LEEWAY:
        raise TokenInvalid


def refuse_before(claims: Claims, now: float) -> None:
    """Refuse a token before its `nbf`, with `LEEWAY` for clocks that differ (RFC 7519 4.1.5).

    Raises:
        TokenInvalid: it becomes valid later than that.
    """
    if claims.nbf > now + LEEWAY:
        raise TokenInvalid


def refuse_expired(claims: Claims, now: float) -> None:
    """Refuse a token that has expired, with `LEEWAY` for clocks that differ.

    Raises:
        TokenExpired: it expired longer ago than that.
    """
    if claims.exp <= now - LEEWAY:
        raise TokenExpired
