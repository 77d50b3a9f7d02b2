"""TLS to the service: whether browsers trust its certificate, and for how long yet."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from socket import create_connection

from authsvc import clock
from authsvc.doctor.findings import Finding, failed, not_checked, ok, warning
from authsvc.doctor.target import Target
from authsvc.doctor.wire import TIMEOUT, NoAnswer, reason

RENEWED_BEFORE = timedelta(days=14)
"""Who renews certificates by machine does so earlier: with less left, the renewal has failed."""


@dataclass(frozen=True)
class Transport:
    """How the service is reached.

    Args:
        context: for further connections; it verifies unless the certificate is not trusted.
        private: whether nobody on the way can read along, so that a password may be sent.
        finding: what to tell about it.
    """

    context: ssl.SSLContext
    private: bool
    finding: Finding


def look_at_transport(target: Target) -> Transport:
    """Make one connection.

    Raises:
        NoAnswer: there is nothing to connect to, or it speaks no TLS.
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
            "Give the server a certificate of a public authority for this name, with the whole "
            "chain; for one of your own, set SSL_CERT_FILE where the doctor runs.",
        )
        return Transport(context, False, finding)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(reason(error)) from None


def _without_tls(target: Target) -> Finding:
    if target.is_local:
        return not_checked(
            "plain HTTP on this machine", "Give the https URL by which browsers reach the service."
        )
    return failed(
        "plain HTTP: whoever is on the way reads passwords and tokens",
        "Serve it by https, and give that URL.",
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
    if left < RENEWED_BEFORE:
        return warning(found, "Renew the certificate, and see why that did not happen by itself.")
    return ok(found)
