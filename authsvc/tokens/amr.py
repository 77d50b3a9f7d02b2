"""How a person authenticated: the `amr` claim (RFC 8176), and the level that follows from it."""

from collections.abc import Collection
from functools import lru_cache
from typing import Literal, get_args

Method = Literal["pwd", "otp", "hwk", "swk", "mfa"]
Amr = tuple[Method, ...]
"""The methods, each once and in the order of `Method`."""

Acr = Literal["aal1", "aal2"]
"""The authenticator assurance level (NIST SP 800-63B-4): one factor, or two."""

PASSWORD: Amr = ("pwd",)
ONE_TIME_CODE: Amr = ("otp", "mfa")
"""A TOTP code or a recovery code, which counts only beside a password."""

METHODS: tuple[Method, ...] = get_args(Method)
"""Every method, in the order in which they are written."""


def passkey_amr(*, synced: bool) -> Amr:
    """Return the methods of a passkey, which is two factors: it is held, and it verifies its user.

    Args:
        synced: whether the key may be copied to other devices of the person.
    """
    return ("swk", "mfa") if synced else ("hwk", "mfa")


def combined(*several: Amr) -> Amr:
    """Return the methods of a person who authenticated in each of these ways."""
    return tuple(method for method in METHODS if any(method in amr for amr in several))


def acr_of(amr: Amr) -> Acr:
    """Return the level of a session that was opened by these methods."""
    return "aal2" if "mfa" in amr else "aal1"


def join(amr: Amr) -> str:
    """Return the text of the methods, as ``refresh_tokens.amr`` has it."""
    return " ".join(amr)


@lru_cache(maxsize=64)  # each refresh needs it, and there are few texts
def parse(text: str) -> Amr:
    """Return the methods in the text of ``refresh_tokens.amr``."""
    return among(text.split())


def among(words: Collection[str]) -> Amr:
    """Return the methods among these words. A later version of the service may know more."""
    return tuple(method for method in METHODS if method in words)
