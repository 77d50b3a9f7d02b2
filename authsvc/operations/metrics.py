"""GET /metrics: the metrics, for this machine and for clients with AUTHSVC_METRICS_TOKEN."""

import hmac

from flask import Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from authsvc.guard.access_token import public
from authsvc.monitoring.instruments import Instruments
from authsvc.operations.this_machine import is_from_this_machine
from authsvc.problems import Forbidden
from authsvc.settings import Settings
from authsvc.web import registry
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
    return (
        is_from_this_machine()
        and not registry.get(ForwardedHeaders).seen
        and not registry.get(Settings).in_public
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
