"""What a reader should conclude from a run, and the one table that shows it."""

from collections.abc import Iterable

from bench.load.results import COLD_START, FOOTPRINT, MEMORY, Results
from bench.peers.catalog import AUTHSVC, EXPRESS, FAST_API, GRANIAN, OTHERS, OURS
from bench.peers.definition import Peer
from bench.report.formatting import listed, ratio, short, table
from bench.report.goals import faster, to

COLUMNS = {
    "protected": "protected/s",
    "refresh": "refreshes/s",
    "login": "logins/s",
    "logout": "logouts/s",
    COLD_START: "cold start, ms",
    MEMORY: "MB a worker",
}
IN_BRACKETS = (AUTHSVC, GRANIAN)


def summary(results: Results) -> str:
    """Return a table with a row for each server; in brackets, the service's multiples of it."""
    rows = [
        (_name(peer), *(_cell(results, peer, name) for name in COLUMNS))
        for peer, _ in results.peers
    ]
    return table(tuple(COLUMNS.values()), rows)


def conclusion(results: Results) -> str:
    """Return three sentences, each of which holds in this run."""
    sentences = (_python_peers(results), _faster_server(results), _fastest_peer(results))
    return " ".join(sentences)


def ahead(results: Results, name: str, peers: Iterable[Peer]) -> list[Peer]:
    """Return the peers that are ahead of the service under gunicorn at one figure."""
    ours = results.figure(AUTHSVC, name)
    sign = -1 if name in FOOTPRINT else 1
    return [
        peer
        for peer in peers
        if ours and (figure := results.figure(peer, name)) and sign * figure > sign * ours
    ]


def _python_peers(results: Results) -> str:
    peers = [peer for peer in OTHERS if peer.language == "Python"]
    behind = {
        name: ahead(results, name, peers) for name in COLUMNS if _compares(results, name, peers)
    }
    first = [name for name, others in behind.items() if not others]
    exceptions = (
        f"{listed([_short_name(peer) for peer in others])} {_verb(others)} ahead at {name}"
        for name, others in behind.items()
        if others
    )
    best = f"Under gunicorn, authsvc is ahead of every Python peer at {listed(first)}"
    if not first:
        best = "Under gunicorn, authsvc is not ahead of every Python peer at anything"
    return "; ".join([best, *exceptions]) + "."


def _faster_server(results: Results) -> str:
    of_gunicorn = _times(results, AUTHSVC)
    if not of_gunicorn:
        return "It was not measured under granian."
    others = {"FastAPI": FAST_API, "the Express of tutorials": EXPRESS}
    clauses = [
        f"{times} times {name}" for name, peer in others.items() if (times := _times(results, peer))
    ]
    sentence = (
        f"Under granian it serves {of_gunicorn} times as many protected requests and refreshes"
    )
    return f"{sentence}, which is {listed(clauses)}." if clauses else f"{sentence}."


def _fastest_peer(results: Results) -> str:
    best = max(OTHERS, key=lambda peer: results.figure(peer, "protected") or 0)
    times = to(results.figure(best, "protected"), faster(results, "protected"))
    ours = faster(results, "login")
    logins = sorted(filter(None, (to(results.figure(peer, "login"), ours) for peer in OTHERS)))
    if times is None or not logins:
        return "No peer was measured."
    if times > 1:
        fastest = f"The fastest peer, {best.name}, serves {ratio(times)} times that again"
    else:
        fastest = f"It is ahead of the fastest peer too, {best.name}"
    return (
        f"{fastest}; but a login costs each of them the same hash: the peers serve "
        f"{ratio(logins[0])} to {ratio(logins[-1])} times as many."
    )


def _compares(results: Results, name: str, peers: Iterable[Peer]) -> bool:
    """Return whether the service and one of the peers have this figure."""
    return any(to(results.figure(AUTHSVC, name), results.figure(peer, name)) for peer in peers)


def _times(results: Results, other: Peer) -> str:
    """Return the multiples of another's protected requests and refreshes, if it has both."""
    times = [
        to(results.figure(GRANIAN, route), results.figure(other, route))
        for route in ("protected", "refresh")
    ]
    return listed([ratio(one) for one in times if one]) if all(times) else ""


def _cell(results: Results, peer: Peer, name: str) -> str:
    figure = results.figure(peer, name)
    if figure is None:
        return ""
    figure_text = f"{figure:,.0f}" if name in FOOTPRINT else short(figure)
    if peer in OURS:
        return f"**{figure_text}**"
    times = [to(results.figure(one, name), figure) for one in IN_BRACKETS]
    return f"{figure_text} ({', '.join('-' if one is None else ratio(one) for one in times)})"


def _name(peer: Peer) -> str:
    return f"**{peer.name}**" if peer in OURS else peer.name


def _short_name(peer: Peer) -> str:
    return peer.name.partition(",")[0]


def _verb(peers: list[Peer]) -> str:
    return "are" if len(peers) > 1 else "is"
