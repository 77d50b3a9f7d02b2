"""Which origins are one site to a browser."""

import pytest

from authsvc.doctor.site import same_site


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://auth.example.com", "https://app.example.com", True),
        ("https://auth.example.com", "https://example.com", True),
        ("https://auth.example.com:8443", "https://app.example.com", True),
        ("https://auth.example.com", "http://app.example.com", False),
        ("https://auth.example.com", "https://app.example.org", False),
        ("https://example.com", "https://notexample.com", False),
        ("https://auth.example.co.uk", "https://app.example.co.uk", True),
        ("https://one.co.uk", "https://other.co.uk", False),
        ("https://alice.github.io", "https://bob.github.io", False),
        ("https://auth.alice.github.io", "https://alice.github.io", True),
        ("https://alice.github.io", "https://github.io", False),
        ("http://localhost:8000", "http://localhost:5173", True),
        ("http://localhost:8000", "http://app.localhost:5173", False),
        ("http://localhost:8000", "http://127.0.0.1:5173", False),
        ("http://192.0.2.1", "http://192.0.2.1:8000", True),
        ("http://192.0.2.1", "http://203.0.2.1", False),
        ("http://[2001:db8::1]", "http://[2001:db8::1]:8000", True),
        ("http://[2001:db8::1]", "http://[2001:db8::2]", False),
    ],
)
def test_a_site_is_a_scheme_and_a_registrable_domain(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same
    assert same_site(other, one) is same
