"""Count the password hashes that an app computes."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from authsvc.users.passwords import Passwords
from authsvc.web import registry
from tests.users.test_passwords import Counting


@contextmanager
def counted_hashes(app: Flask) -> Iterator[Counting]:
    """Yield the hasher that the app uses within the block."""
    with app.app_context():
        usual = registry.get(Passwords)
    hasher = Counting()
    registry.add(app, Passwords(usual.min_length, hasher))
    try:
        yield hasher
    finally:
        registry.add(app, usual)
