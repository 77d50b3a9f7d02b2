"""The DPoP header (RFC 9449 section 4.1): a proof that the client holds a key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request

from authsvc.guard.own_origin import OwnOrigin

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class SentProof:
    """A proof that came with a request.

    Args:
        text: the value of the header; servers join several headers by a comma, which no proof
            has.
        method: the method of the request.
        uri: its URI, without query and fragment; None if it is not known.
    """

    text: str
    method: str
    uri: str | None


def takes_proof(view: View) -> View:
    """Declare that the view reads the DPoP header; the API's description says so."""
    view.takes_proof = True  # type: ignore[attr-defined]
    return view


def is_given_proof(view: Callable[..., Any]) -> bool:
    """Return whether the view was marked `@takes_proof`."""
    return getattr(view, "takes_proof", False) is True


def sent_proof(own: OwnOrigin) -> SentProof | None:
    """Return the proof of the current request; None if it has no DPoP header.

    Args:
        own: the service's own origin, which the proof must name.
    """
    text = request.environ.get("HTTP_DPOP")
    return None if text is None else SentProof(text, request.method, own.uri())
