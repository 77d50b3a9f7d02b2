"""The service, with a query for revoked sessions at each request: a logout revokes access tokens
at once, so that no test waits for the second within which it is promised.
"""

from datetime import timedelta

from authsvc.sessions import recently_revoked
from tests.support.cheap_hashes import app as app

recently_revoked.QUERY_INTERVAL = timedelta()
