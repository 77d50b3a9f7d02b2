"""Parse the response of GET /metrics."""

Figures = dict[str, float]
"""Each series, in the exposition's notation (`name{label="value"}`), with its value."""


def figures(text: str) -> Figures:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


def requests(figures: Figures) -> dict[tuple[str, int], int]:
    """Return the number of requests by route and status, without those for /metrics."""
    counted = {}
    for series, value in figures.items():
        if series.startswith("authsvc_http_request_duration_seconds_count{"):
            _, route, _, status, _ = series.split('"')
            counted[route, int(status)] = int(value)
    return {key: count for key, count in counted.items() if key[0] != "authsvc.operations.metrics"}
