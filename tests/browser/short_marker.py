"""The service with markers that live three seconds and are accepted for three more, so that a test
need not wait ten minutes.
"""

from dataclasses import replace

from authsvc import create_app
from authsvc.sessions.device import DeviceBinding
from authsvc.sessions.refresh import Refreshing
from authsvc.tokens import device
from authsvc.tokens.device import DeviceTokens
from authsvc.web import registry
from tests.support.signing_secrets import REFRESH_SECRET

MARKER_LIFE = LEEWAY = 3
device.LEEWAY = LEEWAY

app = create_app()
_binding = registry.of(app, DeviceBinding)
_short = replace(_binding, made_by=DeviceTokens(REFRESH_SECRET, marker_life=MARKER_LIFE))
registry.add(app, _short)
registry.add(app, replace(registry.of(app, Refreshing), devices=_short))
