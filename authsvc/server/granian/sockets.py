"""The listening socket: one for all workers, made by the master or received from systemd."""

import errno
import os
import socket
import stat
from pathlib import Path

from gunicorn.systemd import SD_LISTEN_FDS_START, listen_fds

from authsvc.server import port_check

UNIX = "unix:"


class BindError(Exception):
    """The service cannot listen. The text is a sentence for the operator."""


def listen(bind: str | None, default: str, backlog: int) -> socket.socket:
    """Return a listening socket.

    Args:
        bind: what the operator asked for: ``HOST:PORT``, ``[IPv6]:PORT`` or ``unix:PATH``. None
            means systemd's socket, or the default if there is none.
        default: an address like `bind`.
        backlog: connections that wait to be accepted.

    Raises:
        BindError: the address is wrong or in use.
    """
    if bind is None and (passed := listen_fds(unset_environment=False)):
        return _from_systemd(passed)
    address = bind or default
    try:
        if address.startswith(UNIX):
            return _unix(Path(address.removeprefix(UNIX)), backlog)
        return _tcp(*_host_and_port(address), backlog)
    except OSError as error:
        raise BindError(
            f"authsvc cannot start: it cannot listen on {address} ({error.strerror})."
        ) from None


def close(listener: socket.socket) -> None:
    """Close a socket, and remove the file of a Unix socket unless it is systemd's."""
    name = listener.getsockname()
    listener.close()
    if isinstance(name, str) and name and "LISTEN_FDS" not in os.environ:
        Path(name).unlink(missing_ok=True)


def shown(listener: socket.socket) -> str:
    """Return the address of a socket, for the log."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"{UNIX}{name}"
    host, port = name[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _from_systemd(passed: int) -> socket.socket:
    if passed > 1:
        raise BindError(
            "authsvc cannot start: systemd passed several sockets, and granian serves one. "
            "Keep one ListenStream= line, or use gunicorn."
        )
    return socket.socket(fileno=SD_LISTEN_FDS_START)


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BindError(
            f"authsvc cannot start: --bind {address!r} is not HOST:PORT, [IPv6]:PORT or unix:PATH."
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _tcp(host: str, port: int, backlog: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if used := port_check.wait_until_free([(str(address[0]), port)]):
        raise BindError(port_check.USED % ", ".join(used))
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    listener.bind(address)
    listener.listen(backlog)
    return listener


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
