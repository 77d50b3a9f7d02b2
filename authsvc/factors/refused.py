"""The refusal of a second factor or a passkey, with the reason for the audit trail."""

from typing import Literal

from authsvc.problems import InvalidCredentials

Reason = Literal[
    "wrong_code",
    "wrong_recovery_code",
    "passkey_refused",
    "challenge_used",
    "sign_count_went_back",
]


class FactorRefused(InvalidCredentials):
    """The response is that of wrong credentials: only the audit trail has the reason.

    Args:
        why: the detail of the event.
    """

    def __init__(self, why: Reason) -> None:
        super().__init__()
        self.why = why
