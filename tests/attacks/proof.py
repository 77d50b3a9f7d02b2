"""Proofs with one fault each, as values of the header."""

from collections.abc import Sequence

from tests.attacks.attack import Sent, refresh_with
from tests.attacks.groups.proofs import ATTACKS, HEADERS
from tests.attacks.tokens import Good
from tests.support.dpop import Prover

_FORGES = {attack.name: attack.forge for attack in ATTACKS}
FAULTS = [*(attack.name for attack in ATTACKS), *HEADERS]
"""The names of all faults."""


def faulty(name: str, prover: Prover) -> list[str]:
    """Return the values of the headers, which are latin-1 text, with this fault."""
    good = Good("proof", prover.proof("/auth/refresh"), "", prover.sign)
    if name in HEADERS:
        return [value.replace("@", good.text) for value in HEADERS[name]]
    text = _FORGES[name](good)
    assert text != good.text, name
    return [text.encode("utf-8", "replace").decode("latin-1")]


def refresh_by(cookie: tuple[str, str], proofs: Sequence[str]) -> Sent:
    """Return a refresh with these proofs, each in a header of its own."""
    return refresh_with((cookie, *(("DPoP", proof) for proof in proofs)))
