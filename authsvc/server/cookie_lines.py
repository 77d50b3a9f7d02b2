"""Several Cookie header lines of one request, read as one list."""


def join_cookie_lines(headers: list[tuple[str, str]]) -> None:
    """Replace several Cookie lines by one, in place, as RFC 9113 section 8.2.3 says.

    gunicorn would join them with a comma, which a cookie's value may contain: a sibling site could
    then set a cookie whose value looks like another line with the refresh cookie.

    Args:
        headers: names in upper case, and values.
    """
    lines = [value for name, value in headers if name == "COOKIE"]
    if len(lines) > 1:
        headers[:] = [pair for pair in headers if pair[0] != "COOKIE"]
        headers.append(("COOKIE", "; ".join(lines)))
