"""What those who run the service, or lean on it, need: health, public keys, logs, metrics."""

from flask import Blueprint

from authsvc.operations import health, jwks, metrics, static

operations = Blueprint("operations", __name__)
operations.get("/healthz")(health.healthz)
operations.get("/readyz")(health.readyz)
operations.get("/metrics")(metrics.metrics)
operations.get("/.well-known/jwks.json")(jwks.jwks)
operations.get("/static/authsvc.js")(static.authsvc_js)
