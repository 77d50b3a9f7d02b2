"""One visit, from registration or login until the person leaves."""

import json
import random
import secrets
import time

from bench.soak.client import Client, Response, VisitEnded
from bench.soak.misuse import MISUSES
from bench.soak.people import People, Person
from bench.soak.visit import Visit, credentials

ROUNDS = 30
MAX_PEOPLE = 100
PASSWORD_CHANGE_SHARE = 0.1
STAY_LOGGED_IN_SHARE = 0.4


def play(client: Client, people: People) -> None:
    """Play one visit. An unexpected response ends it.

    That person does not come again, since the service may or may not have done what was asked.
    """
    with client:
        try:
            person = people.next_visitor() or _register(client)
            visit = Visit(client, people, person)
            _log_in(visit)
            interruptions = [*MISUSES, change_password]
            rounds = random.sample(range(ROUNDS), len(interruptions))
            for number in range(ROUNDS):
                _play_round(visit)
                if number in rounds:
                    interruptions[rounds.index(number)](visit)
            visit.request_protected("sessions", "/api/me/sessions")
            visit.request_protected("activity", "/api/me/activity")
            comes_again = _leave(visit)
        except VisitEnded as ended:
            time.sleep(ended.retry_after)
            return
    if comes_again:
        people.add(person)


def _register(client: Client) -> Person:
    person = Person(f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(15))
    client.request("register", "POST", "/auth/register", credentials(person), expected=201)
    return person


def _log_in(visit: Visit) -> None:
    person = visit.person
    headers = {"Cookie": person.cookie} if person.cookie else {}
    response = visit.client.request("login", "POST", "/auth/login", credentials(person), headers)
    _keep_session(visit, response)


def _keep_session(visit: Visit, response: Response) -> None:
    """Keep both tokens of a response that opens a session."""
    visit.person.cookie = response.headers["Set-Cookie"].partition(";")[0]
    visit.access_token = json.loads(response.body)["access_token"]


def _play_round(visit: Visit) -> None:
    response = visit.post_cookie("refresh", "/auth/refresh")
    visit.access_token = json.loads(response.body)["access_token"]
    visit.request_protected("things", "/api/things")
    visit.request_protected("me", "/api/me")


def change_password(visit: Visit) -> None:
    if random.random() > PASSWORD_CHANGE_SHARE:
        return
    new = secrets.token_urlsafe(15)
    body = {"current_password": visit.person.password, "new_password": new}
    response = visit.request_protected("password", "/api/me/password", method="PUT", body=body)
    visit.person.password = new
    _keep_session(visit, response)


def _leave(visit: Visit) -> bool:
    """Log out or stay logged in, or, if there are many people, delete the account.

    Returns:
        Whether the account still exists.
    """
    visit.people.abandon_token(visit.access_token)
    if len(visit.people.absent) >= MAX_PEOPLE:
        body = {"password": visit.person.password}
        visit.request_protected("delete", "/api/me", method="DELETE", body=body, expected=204)
        return False
    if random.random() > STAY_LOGGED_IN_SHARE:
        visit.post_cookie("logout", "/auth/logout", expected=204)
        visit.post_cookie("logged out", "/auth/refresh", expected=401)
        visit.person.cookie = ""
    return True
