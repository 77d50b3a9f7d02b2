"""The settings of factors: the domain of passkeys, and the roles that need two factors."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from authsvc.origins import origin_of_host
from authsvc.roles import PATTERN, is_role
from authsvc.settings.values import split


def _domain(text: str) -> str:
    if origin_of_host("https", text) != f"https://{text}" or ":" in text or _is_address(text):
        raise ValueError(
            "must be a domain such as example.com, in lower case, without scheme, port and path: "
            "passkeys cannot belong to a network address"
        )
    return text


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _role(text: str) -> str:
    if not is_role(text):
        raise ValueError(f"has {text!r}, which is not the name of a role: it must match {PATTERN}")
    return text


Domain = Annotated[str, AfterValidator(_domain)]
RoleNames = Annotated[tuple[Annotated[str, AfterValidator(_role)], ...], BeforeValidator(split)]
