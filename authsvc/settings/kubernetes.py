"""The variables that Kubernetes sets in each pod for Services named authsvc or authsvc-…."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address

_URL = re.compile(r"(?:tcp|udp|sctp)://(?:[0-9.]+|\[[0-9a-f:.]+\]):[0-9]+")


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _is_port(value: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", value) is not None


def _is_url(value: str) -> bool:
    return _URL.fullmatch(value) is not None


def _is_protocol(value: str) -> bool:
    return value in ("tcp", "udp", "sctp")


_NUMBERED = "PORT_[0-9]+_(?:TCP|UDP|SCTP)"
_SHAPES: Mapping[re.Pattern[str], Callable[[str], bool]] = {
    re.compile(f"(?:[A-Z0-9_]+_)?{name}"): is_value
    for name, is_value in {
        "SERVICE_HOST": _is_address,
        "SERVICE_PORT(?:_[A-Z0-9_]+)?": _is_port,
        f"(?:PORT|{_NUMBERED})": _is_url,
        f"{_NUMBERED}_PROTO": _is_protocol,
        f"{_NUMBERED}_PORT": _is_port,
        f"{_NUMBERED}_ADDR": _is_address,
    }.items()
}


def is_of_a_service(name: str, value: str) -> bool:
    """Return whether Kubernetes set a variable, and not the operator.

    Both its name and its value must have the documented shape ("Discovering services",
    environment variables), so that a misspelled setting is still refused.

    Args:
        name: the variable's name, without ``AUTHSVC_``.
        value: its value.
    """
    return any(
        shape.fullmatch(name) is not None and is_value(value) for shape, is_value in _SHAPES.items()
    )
