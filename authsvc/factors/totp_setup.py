"""What an authenticator app needs to take over a TOTP secret: a URI, and its QR code."""

from dataclasses import dataclass, field
from io import BytesIO

from authsvc.factors.totp import totp_of


@dataclass(frozen=True)
class TotpSetup:
    """A new secret for an authenticator app, in the three forms in which apps take it.

    Args:
        secret: the secret as base32, for typing.
        uri: an `otpauth://` URI: a link on the device that has the app.
        qr_svg: the URI as a QR code: an SVG image of its own, without scripts, styles and links.
    """

    secret: str = field(repr=False, metadata={"examples": ["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"]})
    uri: str = field(
        repr=False,
        metadata={
            "examples": [
                "otpauth://totp/example.com:alice%40example.com"
                "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=example.com"
            ]
        },
    )
    qr_svg: str = field(
        repr=False,
        metadata={"examples": ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 49 49"/>']},
    )


def setup_of(secret: str, domain: str, email: str) -> TotpSetup:
    """Return what an authenticator app needs.

    Args:
        secret: as base32.
        domain: what the app shows as the issuer: the domain of the service.
        email: what the app shows as the account.
    """
    uri = totp_of(secret).provisioning_uri(name=email, issuer_name=domain)
    return TotpSetup(secret, uri, _qr_svg(uri))


def _qr_svg(text: str) -> str:
    """Return a QR code as SVG. It scales to any size, and is legible on a dark page too."""
    import segno  # imported here: most workers never need it

    svg = BytesIO()
    segno.make_qr(text).save(
        svg, "svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True, light="white"
    )
    return svg.getvalue().decode().strip()
