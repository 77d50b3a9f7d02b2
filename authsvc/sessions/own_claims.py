"""The operator's own claims of an access token: ask for them, and check them."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from authsvc import strict_json
from authsvc.tokens.claims import NAMES

AccessClaims = Callable[[UUID], dict[str, Any]]
"""A function that returns the operator's own claims for the user with this id."""

MAX_BYTES = 1024
"""The most bytes of an operator's own claims as JSON: a request has the token in a header."""

_compact_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class AccessClaimsFailed(Exception):
    """`access_claims` raised, or what it returned cannot be claims: a fault of the operator's code.

    The response is a 500, and the log has this sentence. It never has the value of a claim.
    """


class OwnClaims:
    """Asks the operator's function for claims.

    Args:
        function: by default there are no such claims.
    """

    def __init__(self, function: AccessClaims | None = None) -> None:
        self._function = function

    def of(self, user_id: UUID) -> str:
        """Return the claims for this user as JSON; empty without a function.

        Call this outside of any transaction. The function runs in an app context of its own, so a
        database session that it leaves open is closed.

        Raises:
            AccessClaimsFailed: the function raised, or what it returned cannot be claims.
            SQLAlchemyError: the function could not use the database.
        """
        if self._function is None:
            return ""
        try:
            with current_app.app_context():
                claims = self._function(user_id)
        except SQLAlchemyError:
            raise  # a database that does not answer is a 503, and the client tries again
        except Exception as error:
            raise AccessClaimsFailed(f"access_claims raised {type(error).__name__}") from error
        return checked(claims)


def checked(claims: Any) -> str:
    """Return the claims as JSON.

    Raises:
        AccessClaimsFailed: they are not a dict of JSON values under names of their own, or are too
            long.
    """
    if not isinstance(claims, dict):
        raise AccessClaimsFailed(f"access_claims returned {_kind(claims)} instead of a dict")
    for name, value in claims.items():
        if not isinstance(name, str):
            raise AccessClaimsFailed(f"access_claims returned {_kind(name)} as the name of a claim")
        if name in NAMES:
            raise AccessClaimsFailed(
                f"access_claims returned {name!r}, which the service keeps for itself: "
                "choose another name"
            )
        if not _is_json({name: value}):
            raise AccessClaimsFailed(
                f"access_claims returned {name!r} with a value that JSON does not have: "
                "use dict, list, str, int, float, bool and None"
            )
    text = _compact_json(claims)
    if len(text) > MAX_BYTES:
        longest = max(claims, key=lambda name: len(_compact_json(claims[name])))
        raise AccessClaimsFailed(
            f"access_claims returned {len(text)} bytes as JSON, which is more than {MAX_BYTES}: "
            f"the longest claim is {longest!r}"
        )
    return text if claims else ""


def _is_json(value: Any) -> bool:
    """Return whether a verifier parses the value as it is. JSON has no tuples, and no NaN."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        return bool(strict_json.loads(text.encode("utf-8")) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def _kind(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
