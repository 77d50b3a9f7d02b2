"""The service with cheap hashes of passwords, for tests that do not measure hashing."""

from authsvc.monitoring.instruments import Instruments
from authsvc.server.wsgi import app
from authsvc.settings import Settings
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry

CHEAPEST = Argon2id(time_cost=1, memory_cost=8)

_length = registry.of(app, Settings).password_min_length
_metrics = registry.of(app, Instruments).passwords
registry.add(app, Passwords(_length, argon2id=CHEAPEST, metrics=_metrics))
