"""One round of one peer: start its server, put load on each of its routes, and end it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from authsvc.doctor.proofs import Key
from bench.load.crowd import Crowd, crowd
from bench.load.lines import Proofs, StoredSessions
from bench.load.peer_requests import bound_refresh, is_live, peer_requests, with_stored_session
from bench.load.route import Pace, Route, RouteLoad, load_route, login_route
from bench.load.wrk import LoadFailed, Request
from bench.peers.definition import Auth
from bench.peers.prepare import Prepared
from bench.peers.server import Memory, Server

MORE_PROOFS = 1.3
"""Proofs for each refresh without one: some are sent and not answered when a load ends."""
MIN_PROOFS = 3_000
"""For a second, if the refreshes without a proof were slow by chance."""


@dataclass(frozen=True)
class Figures:
    """The results of one round.

    Args:
        cold_start: milliseconds from the start to the first response.
        memory: after all of the load.
        routes: by name: protected, refresh, bound refresh, login, logout; only those that the
            peer has.
        crowd: what clients see while many log in, if that was measured.
        failed: the reason for each route that could not be measured, by its name.
    """

    cold_start: float
    memory: Memory
    routes: dict[str, RouteLoad]
    crowd: Crowd | None = None
    failed: dict[str, str] = field(default_factory=dict)


def one_round(prepared: Prepared, pace: Pace) -> Figures:
    """Return the figures of one round.

    Raises:
        NotStarted: the server did not answer.
        LoadFailed: a login, with which each peer begins, was refused.
    """
    routes: dict[str, RouteLoad] = {}
    failed: dict[str, str] = {}
    with prepared.started() as server:
        requests = peer_requests(server, prepared.peer)
        for name, load in _loads(server, prepared, requests, routes, pace):
            try:
                routes[name] = load()
            except LoadFailed as error:
                failed[name] = str(error)
        seen = None
        if prepared.peer.crowds:
            seen = crowd(requests["protected"], requests["login"], seconds=pace.seconds)
        return Figures(server.cold_start, server.memory(), routes, seen, failed)


def _loads(
    server: Server,
    prepared: Prepared,
    requests: dict[str, Request],
    measured: dict[str, RouteLoad],
    pace: Pace,
) -> Iterator[tuple[str, Callable[[], RouteLoad]]]:
    """Yield the loads by the route's name, in the order in which they are run."""
    peer, auth = prepared.peer, prepared.peer.auth
    stored = StoredSessions(prepared.sessions, prepared.live)
    for name in ("protected", "refresh"):
        if request := requests.get(name):
            yield name, partial(_load_same, server, request, pace)
    if auth and auth.rotates:
        yield "refresh", partial(_load_rotating, server, auth, stored, pace)
    if auth and auth.binds and "refresh" in measured:
        proofs = max(MIN_PROOFS, MORE_PROOFS * measured["refresh"].load.rate)
        yield "bound refresh", partial(_load_bound, server, prepared, auth, proofs, pace)
    if auth:
        yield "login", partial(load_route, server, login_route(requests["login"], pace))
    if peer.logout and auth:
        yield "logout", partial(_load_logout, server, auth, peer.logout, stored, pace)
    elif peer.logout:
        request = Request(server.url + peer.logout, "POST")
        yield "logout", partial(_load_same, server, request, pace)


def _load_same(server: Server, request: Request, pace: Pace) -> RouteLoad:
    """Send the same request again and again."""
    return load_route(server, Route(lambda _: request, pace))


def _load_rotating(server: Server, auth: Auth, stored: StoredSessions, pace: Pace) -> RouteLoad:
    """Refresh another session with each request."""
    request = with_stored_session(server, auth, auth.refresh)
    route = Route(lambda _: replace(request, lines=stored.left()), pace, used=stored.use)
    return load_route(server, route)


def _load_bound(
    server: Server, prepared: Prepared, auth: Auth, rate: float, pace: Pace
) -> RouteLoad:
    """Refresh a session that is bound to a key, with a new proof in each request."""
    key = Key()
    request = bound_refresh(server, auth, key)
    proofs = Proofs(key, request.method, request.url, prepared.live)
    route = Route(lambda seconds: replace(request, lines=proofs.fresh(rate * seconds)), pace)
    return load_route(server, route)


def _load_logout(
    server: Server, auth: Auth, path: str, stored: StoredSessions, pace: Pace
) -> RouteLoad:
    """End another session with each request, and see that one of the first has ended."""
    sent = stored.sent_next
    if not is_live(server, auth, sent[0]):
        raise LoadFailed("a stored session was refused before its logout")
    request = with_stored_session(server, auth, path)
    # Not warmed up and not repeated: the sessions have ended.
    once = Route(
        lambda _: replace(request, lines=stored.left()),
        replace(pace, warm_up=0),
        used=stored.use,
        repeats=0,
    )
    measured = load_route(server, once)
    if all(is_live(server, auth, token) for token in sent):  # some may have had no response
        raise LoadFailed("sessions that had logged out were refreshed")
    return measured
