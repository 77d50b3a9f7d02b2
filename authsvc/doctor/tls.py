"""Check TLS to the service: whether browsers trust its certificate, and for how long."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from socket import create_connection

from authsvc import clock
from authsvc.doctor.findings import Finding, failed, not_checked, ok, warning
from authsvc.doctor.http_client import TIMEOUT, NoResponse, reason
from authsvc.doctor.target import Target

RENEWAL_DUE = timedelta(days=14)
"""Automatic renewal happens earlier: with less time left, it has failed."""


@dataclass(frozen=True)
class Transport:
    """The connection to the service.

    Args:
        context: for further connections; it does not verify a certificate that is not trusted.
        private: whether a password may be sent, because no one on the network can read it.
        finding: the result of the check.
    """

    context: ssl.SSLContext
    private: bool
    finding: Finding


def examine_transport(target: Target) -> Transport:
    """Open one connection and return what it showed.

    Raises:
        NoResponse: no server listens, or it does not speak TLS.
    """
    context = ssl.create_default_context()
    if not target.is_tls:
        return Transport(context, target.is_local, _without_tls(target))
    try:
        return Transport(context, True, _handshake(target, context))
    except ssl.SSLCertVerificationError as error:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        finding = failed(
            f"the certificate is not trusted: {error.verify_message}",
            "Install a certificate of a public authority for this name, with the whole chain. For "
            "an authority of your own, set SSL_CERT_FILE where the doctor runs.",
        )
        return Transport(context, False, finding)
    except (OSError, UnicodeError) as error:
        raise NoResponse(reason(error)) from None


def _without_tls(target: Target) -> Finding:
    if target.is_local:
        return not_checked(
            "plain HTTP on this machine", "Use the https URL by which browsers reach the service."
        )
    return failed(
        "plain HTTP: anyone on the network can read passwords and tokens",
        "Serve it by https, and use that URL.",
    )


def _handshake(target: Target, context: ssl.SSLContext) -> Finding:
    with (
        create_connection((target.host, target.port), TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=target.host) as secured,
    ):
        certificate = secured.getpeercert() or {}
        ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        left = datetime.fromtimestamp(ends, UTC) - clock.now()
        found = f"{secured.version()}; the certificate is trusted, for {left.days} more days"
    if left < RENEWAL_DUE:
        return warning(found, "Renew the certificate, and find out why automatic renewal failed.")
    return ok(found)
