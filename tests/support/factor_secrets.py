"""Other secrets for factors than that of the apps under test."""

import hashlib

from tests.support.signing_secrets import FACTOR_SECRET

NEXT_SECRET = hashlib.sha512(b"the next factor secret of the tests").digest()
WRONG_SECRET = hashlib.sha512(b"a factor secret that encrypted nothing").digest()

ROTATING = {
    "factor_secret": NEXT_SECRET.hex(),
    "factor_secret_previous": FACTOR_SECRET.hex(),
}
"""The settings during a rotation."""
ROTATED = {"factor_secret": NEXT_SECRET.hex()}
"""The settings after a rotation."""
LOST = {"factor_secret": WRONG_SECRET.hex()}
"""The settings of an operator who has lost the secret."""
