"""Check that the address is free before the server does, to say what to do if it is not."""

import errno
import os
import socket
import time
from collections.abc import Iterable

WAIT_SECONDS = 5
"""How long a service that is just ending may keep the address; gunicorn waits as long."""
RETRY_SECONDS = 0.25
USED = (
    "authsvc cannot start: another program uses %s. Stop it, or choose another port, such as "
    "PORT=8001."
)
"""The message; its argument is the addresses."""
INHERITED = ("GUNICORN_FD", "LISTEN_PID")
"""Set if gunicorn receives open sockets: from the gunicorn that it replaces, or from systemd."""


def wait_until_free(addresses: Iterable[object]) -> list[str]:
    """Wait until no other program listens on the addresses, and return those that stay in use.

    Args:
        addresses: gunicorn's ``cfg.address``: a pair of host and port, or a Unix socket's path.
    """
    if any(name in os.environ for name in INHERITED):
        return []
    tcp = [address[:2] for address in addresses if isinstance(address, tuple)]
    give_up = time.monotonic() + WAIT_SECONDS
    while (used := [address for address in tcp if _is_used(*address)]) and (
        time.monotonic() < give_up
    ):
        time.sleep(RETRY_SECONDS)
    return [f"{host}:{port}" for host, port in used]


def _is_used(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
