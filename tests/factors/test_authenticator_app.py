"""The authenticator app of the tests, and pyotp, against the vectors of the standards."""

from base64 import b32encode

import pyotp
import pytest

from authsvc.factors.totp import totp_of
from tests.support.authenticator_app import hotp, totp

SECRET = b"12345678901234567890"

# RFC 6238 appendix B, the rows of SHA-1: seconds since the epoch, and the code of eight digits.
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
# RFC 4226 appendix D: the codes of the counters from 0.
HOTP = [
    *("755224", "287082", "359152", "969429", "338314"),
    *("254676", "287922", "162583", "399871", "520489"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_app_shows_the_codes_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp(SECRET, seconds, digits=8) == code


@pytest.mark.parametrize(("counter", "code"), [*enumerate(HOTP)])
def test_the_app_shows_the_codes_of_rfc_4226(counter: int, code: str) -> None:
    assert hotp(SECRET, counter) == code


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_service_expects_the_last_six_digits_of_them(seconds: int, code: str) -> None:
    expected = totp_of(b32encode(SECRET).decode())
    assert (expected.digits, expected.interval) == (6, 30)
    assert expected.at(seconds) == code[2:] == totp(SECRET, seconds)


def test_pyotp_and_the_app_agree_for_other_secrets() -> None:
    for number in range(50):
        secret = bytes(range(number, number + 20))
        seconds = 1_764_000_000 + 7919 * number
        assert pyotp.TOTP(b32encode(secret).decode()).at(seconds) == totp(secret, seconds)
