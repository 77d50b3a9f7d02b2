"""GET /metrics: the metrics, for this machine and for clients with AUTHSVC_METRICS_TOKEN."""

import hmac
from ipaddress import ip_address

from flask import Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from authsvc.guard.access_token import public
from authsvc.monitoring.instruments import Instruments
from authsvc.problems import Forbidden
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.client import remote_address
from authsvc.web.outputs import answers

SIGNS_OF_A_PROXY = ("Forwarded", "Via", "X-Real-Ip", "X-Forwarded-")
"""Prefixes of headers that proxies add: what a proxy on this machine forwards is not local."""


@public
@answers(200, "text/plain", may=[Forbidden])
def metrics() -> Response:
    """Get what was measured, for Prometheus.

    Only from the same machine, or with `AUTHSVC_METRICS_TOKEN` as a bearer token.
    """
    if not (_from_this_machine() or _has_the_token()):
        raise Forbidden
    return Response(registry.get(Instruments).exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _from_this_machine() -> bool:
    address = remote_address()
    return (
        address is not None
        and ip_address(address).is_loopback
        and not any(name.startswith(SIGNS_OF_A_PROXY) for name, _ in request.headers)
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
