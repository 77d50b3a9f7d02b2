"""The caches are filled before anything is judged.

The service remembers a few thousand sessions and tokens. The logins of an hour are too few to fill
that, and until it is full each session adds to it, which is no leak and looks like one.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

AT_ONCE = 4


def warm_up(port: int, cookies: Path) -> None:
    """Refresh each stored session, and send the token that comes of it.

    Args:
        port: of the service.
        cookies: a file with a cookie for each of them, one a line.
    """

    def visit(cookie: str) -> int:
        # Over a new connection, so that both workers have their share.
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("POST", "/auth/refresh", headers={"Cookie": cookie})
            answer = connection.getresponse()
            token = json.loads(answer.read()).get("access_token")
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", "/api/things", headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    with ThreadPoolExecutor(AT_ONCE) as visitors:
        statuses = Counter(visitors.map(visit, cookies.read_text().split()))
    assert statuses.keys() == {200}, f"the caches could not be filled: {statuses}"
