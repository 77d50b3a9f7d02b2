"""Tell requests of this machine from those of others."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import request

from authsvc.origins import is_this_machine, origin_of_host
from authsvc.web.client import remote_address


def is_from_this_machine() -> bool:
    """Return whether the request came from this machine, and itself has no sign of a proxy on it.

    nginx forwards by HTTP/1.0 unless it is configured otherwise. A proxy that passes the public
    Host on, or a page whose name was rebound to this machine, sends another Host.
    """
    address = remote_address()
    origin = origin_of_host("http", request.environ.get("HTTP_HOST", ""))
    return (
        address is not None
        and ip_address(address).is_loopback
        and request.environ["SERVER_PROTOCOL"] != "HTTP/1.0"
        and origin is not None
        and is_this_machine(urlsplit(origin).hostname or "")
    )
