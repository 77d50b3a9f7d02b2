"""The listening sockets, which the master makes or receives from systemd, and keeps open."""

import errno
import os
import socket
import stat
import sys
from pathlib import Path

from gunicorn.systemd import SD_LISTEN_FDS_START, listen_fds

from authsvc.server import port_check

UNIX = "unix:"


class BindError(Exception):
    """The service cannot listen. The text is a sentence for the operator."""


def listen(bind: str | None, default: str, backlog: int, workers: int) -> list[socket.socket]:
    """Return listening sockets: one that all workers share, or one for each.

    With one for each, the kernel spreads connections over the workers. From a shared socket, a
    worker of granian takes all that arrive at once.

    Args:
        bind: what the operator asked for: ``HOST:PORT``, ``[IPv6]:PORT`` or ``unix:PATH``. None
            means the sockets that systemd passes, or else the default.
        default: an address like `bind`.
        backlog: connections that wait to be accepted, of each socket.
        workers: how many there will be.

    Raises:
        BindError: the address is wrong or in use.
    """
    if bind is None and (passed := listen_fds(unset_environment=False)):
        return _from_systemd(passed, workers)
    address = bind or default
    try:
        if address.startswith(UNIX):
            return [_unix(Path(address.removeprefix(UNIX)), backlog)]
        return _tcp(*_host_and_port(address), backlog, workers)
    except OSError as error:
        raise BindError(
            f"authsvc cannot start: it cannot listen on {address} ({error.strerror})."
        ) from None


def close(listeners: list[socket.socket]) -> None:
    """Close the sockets, and remove the file of a Unix socket unless it is systemd's."""
    name = listeners[0].getsockname()
    for listener in listeners:
        listener.close()
    if isinstance(name, str) and name and "LISTEN_FDS" not in os.environ:
        Path(name).unlink(missing_ok=True)


def shown(listeners: list[socket.socket]) -> str:
    """Return the address of the sockets, for the log."""
    name = listeners[0].getsockname()
    if isinstance(name, str):
        return f"{UNIX}{name}"
    host, port = name[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _from_systemd(passed: int, workers: int) -> list[socket.socket]:
    """Return systemd's sockets: one, or several of one address by ``ReusePort=yes``."""
    sockets = [socket.socket(fileno=SD_LISTEN_FDS_START + index) for index in range(passed)]
    if len({str(listener.getsockname()) for listener in sockets}) > 1:
        raise BindError(
            "authsvc cannot start: systemd passed sockets of several addresses, and granian "
            "serves one. Keep one, or use gunicorn."
        )
    if passed > workers:
        raise BindError(
            f"authsvc cannot start: systemd passed {passed} sockets, and there are {workers} "
            "workers. Pass one, or as many as there are workers."
        )
    return sockets


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BindError(
            f"authsvc cannot start: --bind {address!r} is not HOST:PORT, [IPv6]:PORT or unix:PATH."
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _tcp(host: str, port: int, backlog: int, workers: int) -> list[socket.socket]:
    family, _, _, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if used := port_check.wait_until_free([(str(address[0]), port)]):
        raise BindError(port_check.USED % ", ".join(used))
    sockets: list[socket.socket] = []
    for _ in range(workers if sys.platform == "linux" else 1):  # elsewhere it would not spread them
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        if sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        # After the first bind, which must fail if another service listens there.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        address = listener.getsockname()
        sockets.append(listener)
    for listener in sockets:
        listener.listen(backlog)
    return sockets


def _unix(path: Path, backlog: int) -> socket.socket:
    """Return a Unix socket that any user may connect to, where the folder lets them in."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        if _answers(path):
            raise BindError(f"authsvc cannot start: another program uses {path}. Stop it.")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(backlog)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) != errno.ECONNREFUSED
