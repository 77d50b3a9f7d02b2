"""The secrets of the apps under test, always the same: so tests can sign too."""

import hashlib

ACCESS_SECRET = hashlib.sha512(b"the access secret of the tests").digest()
REFRESH_SECRET = hashlib.sha512(b"the refresh secret of the tests").digest()
FACTOR_SECRET = hashlib.sha512(b"the factor secret of the tests").digest()
