"""The state of one visit, and the requests that depend on it."""

from dataclasses import dataclass
from typing import Any

from bench.soak.client import Client, Response
from bench.soak.people import People, Person


@dataclass
class Visit:
    """A visit of one person.

    Args:
        client: sends the requests.
        people: the others.
        person: who visits.
        access_token: the newest one.
    """

    client: Client
    people: People
    person: Person
    access_token: str = ""

    def request_protected(
        self, name: str, path: str, *, method: str = "GET", token: str = "", **options: Any
    ) -> Response:
        """Send the access token, or another token, to a protected route."""
        headers = {"Authorization": f"Bearer {token or self.access_token}"}
        return self.client.request(name, method, path, headers=headers, **options)

    def post_cookie(self, name: str, path: str, *, expected: int = 200) -> Response:
        """Post the person's refresh cookie."""
        headers = {"Cookie": self.person.cookie}
        return self.client.request(name, "POST", path, headers=headers, expected=expected)


def credentials(person: Person) -> dict[str, str]:
    return {"email": person.email, "password": person.password}
