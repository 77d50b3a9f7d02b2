"""Fill the caches before memory is measured.

The service caches a few thousand sessions and tokens. The logins of an hour are too few to fill the
caches, and until they are full each session adds to them, which would look like a leak.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

CLIENTS = 4


def warm_up(port: int, cookies: Path) -> None:
    """Refresh each stored session, and send its new access token.

    Args:
        port: of the service.
        cookies: a file with the sessions' cookies, one a line.
    """

    def visit(cookie: str) -> int:
        # Over a new connection, so that both workers get their share.
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("POST", "/auth/refresh", headers={"Cookie": cookie})
            token = json.loads(connection.getresponse().read()).get("access_token")
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", "/api/things", headers=headers)
            response = connection.getresponse()
            response.read()
            return response.status

    with ThreadPoolExecutor(CLIENTS) as clients:
        statuses = Counter(clients.map(visit, cookies.read_text().split()))
    assert statuses.keys() == {200}, f"the caches could not be filled: {statuses}"
