"""The two halves of a login, called apart, so that a test can act between them."""

from authsvc.audit.record import user_at
from authsvc.factors.second_factor import Factors, Given
from authsvc.sessions.log_in import open_by_password
from authsvc.sessions.open import Opened
from authsvc.sessions.tokens import SessionTokens
from authsvc.users.authentication import Authenticated, authenticate
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from authsvc.web.client import Client

NOWHERE = Client()


def verify_password(email: str, password: str) -> Authenticated:
    """Verify a password in the current app."""
    return authenticate(registry.get(Passwords), email, password, user_at(NOWHERE))


def open_for(user: Authenticated, given: Given = Given()) -> Opened:  # noqa: B008
    """Open a session in the current app."""
    tokens, factors = registry.get(SessionTokens), registry.get(Factors)
    return open_by_password(tokens, factors, user, given, NOWHERE, replaced=[])
