"""What those who run the service need: health, logs, metrics."""

from flask import Blueprint

from authsvc.operations import health, metrics, static

operations = Blueprint("operations", __name__)
operations.get("/healthz")(health.healthz)
operations.get("/readyz")(health.readyz)
operations.get("/metrics")(metrics.metrics)
operations.get("/static/authsvc.js")(static.authsvc_js)
