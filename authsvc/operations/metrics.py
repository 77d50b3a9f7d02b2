"""GET /metrics: the metrics, for this machine and for clients with AUTHSVC_METRICS_TOKEN."""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from authsvc.guard.access_token import public
from authsvc.monitoring.instruments import Instruments
from authsvc.origins import is_this_machine, origin_of_host
from authsvc.problems import Forbidden
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.forwarded import ForwardedHeaders
from authsvc.web.outputs import answers


@public
@answers(200, "text/plain", may=[Forbidden])
def metrics() -> Response:
    """Get the metrics, for Prometheus.

    They need `AUTHSVC_METRICS_TOKEN` as a bearer token, except from the same machine on a service
    without a public issuer and without a proxy.
    """
    if not (_from_this_machine() or _has_the_token()):
        raise Forbidden
    return Response(registry.get(Instruments).exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _from_this_machine() -> bool:
    """Return whether the request came from this machine, and not through a proxy on it.

    A proxy need not add a header. So once a request had one, there is a proxy, and with a public
    issuer there must be one: then every client must send the token.
    """
    address = remote_address()
    return (
        address is not None
        and ip_address(address).is_loopback
        and not registry.get(ForwardedHeaders).seen
        and not registry.get(Settings).in_public
        and _is_direct()
    )


def _is_direct() -> bool:
    """Return whether the request itself has no sign of a proxy.

    nginx forwards by HTTP/1.0 unless it is configured otherwise. A proxy that passes the public
    Host on, or a page whose name was rebound to this machine, sends another Host.
    """
    origin = origin_of_host("http", request.environ.get("HTTP_HOST", ""))
    return (
        request.environ["SERVER_PROTOCOL"] != "HTTP/1.0"
        and origin is not None
        and is_this_machine(urlsplit(origin).hostname or "")
    )


def _has_the_token() -> bool:
    expected = registry.get(Settings).metrics_token
    sent = request.authorization
    return (
        expected is not None
        and sent is not None
        and sent.type == "bearer"
        and hmac.compare_digest((sent.token or "").encode(), expected.get_secret_value().encode())
    )
