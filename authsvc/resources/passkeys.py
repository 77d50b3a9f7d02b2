"""/api/me/passkeys: add a passkey to the account, and remove one."""

import re
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from authsvc import clock
from authsvc.factors.creation_options import CreationOptions, creation_options
from authsvc.factors.credentials import RegistrationCredential
from authsvc.factors.registration import add_passkey, remove_passkey, verify_new_passkey
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors
from authsvc.guard.access_token import current_access_token
from authsvc.problems import (
    CredentialRefused,
    EmailUnverified,
    FactorExists,
    FaultCode,
    NotFound,
    RateLimited,
    ReauthenticationRequired,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources.factor_change import Change, change_factors
from authsvc.web import registry
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import Instant, answers

MAX_NAME = 64
"""Code points in the name of a passkey."""

_SPACES = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\u2028\u2029"
"""The insides of character classes: Unicode's spaces, and what ends or controls a line."""
_AROUND = re.compile(f"^[{_SPACES}]+|[{_SPACES}]+$")
_CONTROL = re.compile(f"[{_CONTROLS}]")
_PATTERN = (
    f"^[{_SPACES}]*[^{_SPACES}{_CONTROLS}]"
    f"([^{_CONTROLS}]{{0,{MAX_NAME - 2}}}[^{_SPACES}{_CONTROLS}])?[{_SPACES}]*$"
)


def _checked_name(text: str) -> str:
    name = _AROUND.sub("", text)
    if not name:
        raise _invalid(FaultCode.TOO_SHORT, "Give the passkey a name.")
    if len(name) > MAX_NAME:
        raise _invalid(FaultCode.TOO_LONG, f"The name must have at most {MAX_NAME} characters.")
    if _CONTROL.search(name):
        raise _invalid(FaultCode.INVALID_CHARACTERS, "The name must have no control characters.")
    return name


def _invalid(code: FaultCode, sentence: str) -> PydanticCustomError:
    return PydanticCustomError(code.value, sentence)


Name = Annotated[
    Text,
    AfterValidator(_checked_name),
    Field(examples=["phone"], json_schema_extra={"pattern": _PATTERN}),
]


class DefaultOptions(Body):
    """An empty object: the service chooses the options."""


class NamedCredential(Body):
    """A new passkey and its name.

    Args:
        name: what the person calls it: 1 to 64 characters without the spaces around them, and
            without control characters.
        credential: what `navigator.credentials.create()` returned, as `toJSON()` writes it.
    """

    name: Name
    credential: RegistrationCredential


@dataclass(frozen=True)
class AddedPasskey:
    """A passkey that was added.

    Args:
        id: its id, for removing it.
        name: what the person calls it.
        created_at: when it was added.
    """

    id: UUID
    name: str = field(metadata={"examples": ["phone"]})
    created_at: Instant


@takes(DefaultOptions)
@answers(
    200,
    may=[ReauthenticationRequired, EmailUnverified, FactorExists],
    operation_id="passkey_creation_options",
)
def show_options(body: DefaultOptions) -> CreationOptions:
    """Get options for a new passkey: pass them to `navigator.credentials.create()`.

    Send its response to `/api/me/passkeys`. An account may have 20 passkeys.
    """
    challenges, site = registry.get(Factors).challenges, registry.get(RelyingParty).of_request()

    def work(change: Change) -> CreationOptions:
        return creation_options(change.connection, challenges, site, change.user_id, change.now)

    return change_factors(work, adds=True)


@takes(NamedCredential)
@answers(
    201,
    may=[
        ReauthenticationRequired,
        EmailUnverified,
        CredentialRefused,
        FactorExists,
        RateLimited,
    ],
    operation_id="passkey_add",
)
def add(body: NamedCredential) -> AddedPasskey:
    """Add a passkey to the account, from a browser's response to the options.

    From then on a login needs a second factor, or this passkey alone. The session of the request
    counts as authenticated with it.
    """
    user_id, challenges = current_access_token().sub, registry.get(Factors).challenges
    site = registry.get(RelyingParty).of_request()
    new = verify_new_passkey(challenges, site, body.credential, user_id, clock.now())

    def work(change: Change) -> AddedPasskey:
        passkey_id = add_passkey(change.connection, user_id, new, body.name, change.now)
        change.factor_added("passkey", new.amr)
        return AddedPasskey(passkey_id, body.name, change.now)

    with registry.get(Throttle).factor_change(user_id):
        return change_factors(work, adds=True)


@answers(204, may=[ReauthenticationRequired, RateLimited], operation_id="passkey_remove")
def remove(passkey_id: UUID) -> None:
    """Remove a passkey of the account.

    It does not log in again. Recovery codes go with the last factor of the account.

    Args:
        passkey_id: the passkey's id.
    """

    def work(change: Change) -> None:
        if not remove_passkey(change.connection, change.user_id, passkey_id):
            raise NotFound
        change.happened("factor_removed", "passkey")

    with registry.get(Throttle).factor_change(current_access_token().sub):
        change_factors(work)
